-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id, name, product_2_id, currency_iso_code, is_deleted),
    id as asset_id,
    name as asset_name,
    product_2_id as product_id,
    coalesce(currency_iso_code, '{{ var('default_currency') }}') as currency_iso_code
from {{ source('salesforce', 'asset') }}
where not coalesce(is_deleted, false)
