-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id, name),
    id as permission_set_id,
    name as permission_set_name
from {{ source('salesforce', 'permission_set') }}
