-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id, name, currency_iso_code, is_deleted),
    id as product_id,
    name as product_name,
    coalesce(currency_iso_code, '{{ var('default_currency') }}') as currency_iso_code
from {{ source('salesforce', 'product') }}
where not coalesce(is_deleted, false)
