-- Who may do what with which object. Rights add up over a user's permission sets, among them the hidden one of the
-- profile and those that stand for a permission set group with its muting. Users who hold the same sets have the same
-- rights: rights are added up once for each such bundle, so the cost follows the bundles and not the users.
with held as (

    select assignee_id as user_id, permission_set_id
    from {{ ref('stg_salesforce__permission_set_assignment') }}
    where coalesce(is_active, true) and not coalesce(is_revoked, false)
    group by 1, 2

),

bundled as (

    select
        user_id,
        {{ dbt.listagg('permission_set_id', "','", 'order by permission_set_id') }} as bundle,
        count(*) as permission_sets
    from held
    group by 1

),

bundle_users as (

    select bundle, min(user_id) as user_id
    from bundled
    group by 1

),

bundle_sets as (

    select bundle_users.bundle, held.permission_set_id
    from bundle_users
    inner join held on bundle_users.user_id = held.user_id

),

object_rights as (

    select
        bundle_sets.bundle,
        rights.sobject_type,
        {{ count_if('rights.permissions_read') }} > 0 as can_read,
        {{ count_if('rights.permissions_create') }} > 0 as can_create,
        {{ count_if('rights.permissions_edit') }} > 0 as can_edit,
        {{ count_if('rights.permissions_delete') }} > 0 as can_delete,
        {{ count_if('rights.permissions_view_all_records') }} > 0 as can_view_all,
        {{ count_if('rights.permissions_modify_all_records') }} > 0 as can_modify_all,
        count(*) as granted_by
    from bundle_sets
    inner join {{ ref('stg_salesforce__object_permissions') }} as rights
        on bundle_sets.permission_set_id = rights.parent_id
    group by 1, 2

),

fields as (

    select
        bundle_sets.bundle,
        rights.sobject_type,
        rights.field,
        {{ count_if('rights.permissions_read') }} > 0 as can_read,
        {{ count_if('rights.permissions_edit') }} > 0 as can_edit
    from bundle_sets
    inner join {{ ref('stg_salesforce__field_permissions') }} as rights
        on bundle_sets.permission_set_id = rights.parent_id
    group by 1, 2, 3

),

field_rights as (

    select
        bundle,
        sobject_type,
        {{ count_if('can_read') }} as readable_fields,
        {{ count_if('can_edit') }} as editable_fields
    from fields
    group by 1, 2

),

system_rights as (

    select
        bundle_sets.bundle,
        {{ count_if('permission_set.permissions_view_all_data') }} > 0 as can_view_all_data,
        {{ count_if('permission_set.permissions_modify_all_data') }} > 0 as can_modify_all_data
    from bundle_sets
    inner join {{ ref('stg_salesforce__permission_set') }} as permission_set
        on bundle_sets.permission_set_id = permission_set.permission_set_id
    group by 1

)

select
    users.user_id,
    users.username,
    users.user_name,
    profile.profile_name,
    object_rights.sobject_type,
    object_rights.can_read,
    object_rights.can_create,
    object_rights.can_edit,
    object_rights.can_delete,
    object_rights.can_view_all,
    object_rights.can_modify_all,
    coalesce(system_rights.can_view_all_data, false) as can_view_all_data,
    coalesce(system_rights.can_modify_all_data, false) as can_modify_all_data,
    coalesce(field_rights.readable_fields, 0) as readable_fields,
    coalesce(field_rights.editable_fields, 0) as editable_fields,
    object_rights.granted_by as granted_by_sets,
    bundled.permission_sets
from bundled
inner join {{ ref('stg_salesforce__user') }} as users on bundled.user_id = users.user_id
inner join object_rights on bundled.bundle = object_rights.bundle
left join field_rights
    on object_rights.bundle = field_rights.bundle and object_rights.sobject_type = field_rights.sobject_type
left join system_rights on bundled.bundle = system_rights.bundle
left join {{ ref('stg_salesforce__profile') }} as profile on users.profile_id = profile.profile_id
where users.is_active
