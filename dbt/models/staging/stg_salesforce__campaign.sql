-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id, name, currency_iso_code, is_deleted),
    id as campaign_id,
    name as campaign_name,
    coalesce(currency_iso_code, '{{ var('default_currency') }}') as currency_iso_code
from {{ source('salesforce', 'campaign') }}
where not coalesce(is_deleted, false)
