-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id),
    id as object_permissions_id
from {{ source('salesforce', 'object_permissions') }}
