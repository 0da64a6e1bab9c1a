-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id, name, product_2_id, currency_iso_code, is_deleted),
    id as opportunity_line_item_id,
    name as opportunity_line_item_name,
    product_2_id as product_id,
    coalesce(currency_iso_code, '{{ var('default_currency') }}') as currency_iso_code
from {{ source('salesforce', 'opportunity_line_item') }}
where not coalesce(is_deleted, false)
