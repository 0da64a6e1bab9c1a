-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id, name, product_2_id, pricebook_2_id, currency_iso_code, is_deleted),
    id as pricebook_entry_id,
    name as pricebook_entry_name,
    product_2_id as product_id,
    pricebook_2_id as pricebook_id,
    coalesce(currency_iso_code, '{{ var('default_currency') }}') as currency_iso_code
from {{ source('salesforce', 'pricebook_entry') }}
where not coalesce(is_deleted, false)
