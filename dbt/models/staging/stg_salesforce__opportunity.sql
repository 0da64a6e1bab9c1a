-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id, name, pricebook_2_id, currency_iso_code, is_deleted),
    id as opportunity_id,
    name as opportunity_name,
    pricebook_2_id as pricebook_id,
    coalesce(currency_iso_code, '{{ var('default_currency') }}') as currency_iso_code
from {{ source('salesforce', 'opportunity') }}
where not coalesce(is_deleted, false)
