{{ config(enabled=(var('changes', false) or 'opportunity' in env_var('SF_ASSETS_HISTORY', '').split(','))) }}

-- A version of a deal must have the stage that opportunity_history names last until the version's stamp.
with stages as (

    select
        versions.id,
        versions.stage_name,
        versions._change_number,
        steps.stage_name as stage_in_history,
        row_number() over (
            partition by versions.id, versions._change_number order by steps.created_date desc, steps.id desc
        ) as age
    from {{ ref('opportunity_validity') }} as versions
    inner join {{ source('salesforce', 'opportunity_history') }} as steps
        on steps.opportunity_id = versions.id and steps.created_date <= versions.system_modstamp

)

select *
from stages
where age = 1 and stage_name <> stage_in_history
