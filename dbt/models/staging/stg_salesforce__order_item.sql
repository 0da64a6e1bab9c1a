-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id, product_2_id, currency_iso_code, is_deleted),
    id as order_item_id,
    product_2_id as product_id,
    coalesce(currency_iso_code, '{{ var('default_currency') }}') as currency_iso_code
from {{ source('salesforce', 'order_item') }}
where not coalesce(is_deleted, false)
