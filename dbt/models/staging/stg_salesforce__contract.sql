-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id, name, pricebook_2_id, currency_iso_code, is_deleted),
    id as contract_id,
    name as contract_name,
    pricebook_2_id as pricebook_id,
    coalesce(currency_iso_code, '{{ var('default_currency') }}') as currency_iso_code
from {{ source('salesforce', 'contract') }}
where not coalesce(is_deleted, false)
