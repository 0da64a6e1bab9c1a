-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id, name, currency_iso_code, is_deleted),
    id as pricebook_id,
    name as pricebook_name,
    coalesce(currency_iso_code, '{{ var('default_currency') }}') as currency_iso_code
from {{ source('salesforce', 'pricebook') }}
where not coalesce(is_deleted, false)
