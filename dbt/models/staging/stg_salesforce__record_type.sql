-- Written by `sf-assets sources`; a test compares.
select
    * exclude (id, name),
    id as record_type_id,
    name as record_type_name
from {{ source('salesforce', 'record_type') }}
