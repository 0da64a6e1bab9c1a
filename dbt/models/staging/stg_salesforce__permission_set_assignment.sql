-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id),
    id as permission_set_assignment_id
from {{ source('salesforce', 'permission_set_assignment') }}
