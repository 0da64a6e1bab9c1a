-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id, currency_iso_code, is_deleted),
    id as opportunity_history_id,
    coalesce(currency_iso_code, '{{ var('default_currency') }}') as currency_iso_code
from {{ source('salesforce', 'opportunity_history') }}
where not coalesce(is_deleted, false)
