-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id, name),
    id as profile_id,
    name as profile_name
from {{ source('salesforce', 'profile') }}
