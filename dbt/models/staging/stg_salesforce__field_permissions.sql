-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id),
    id as field_permissions_id
from {{ source('salesforce', 'field_permissions') }}
