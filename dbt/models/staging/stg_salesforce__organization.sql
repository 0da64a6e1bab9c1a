-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id, name),
    id as organization_id,
    name as organization_name
from {{ source('salesforce', 'organization') }}
