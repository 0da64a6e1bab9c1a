-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id, name, currency_iso_code),
    id as user_id,
    name as user_name,
    coalesce(currency_iso_code, '{{ var('default_currency') }}') as currency_iso_code
from {{ source('salesforce', 'user') }}
