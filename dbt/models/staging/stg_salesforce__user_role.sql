-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id, name),
    id as user_role_id,
    name as user_role_name
from {{ source('salesforce', 'user_role') }}
