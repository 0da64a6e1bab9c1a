-- One row for each visit of a deal to a stage. The history also has rows for changes of amount, probability and close
-- date: only a row with another stage than the one before begins a visit.
with steps as (

    select
        opportunity_id,
        opportunity_history_id,
        stage_name,
        created_date,
        lag(stage_name) over (
            partition by opportunity_id order by created_date, opportunity_history_id
        ) as stage_before
    from {{ ref('stg_salesforce__opportunity_history') }}

),

visits as (

    select
        opportunity_id,
        stage_name,
        created_date as entered_at,
        lead(created_date) over (
            partition by opportunity_id order by created_date, opportunity_history_id
        ) as left_at,
        row_number() over (
            partition by opportunity_id order by created_date, opportunity_history_id
        ) as visit_number
    from steps
    where stage_before is null or stage_before <> stage_name

)

select
    visits.opportunity_id,
    visits.visit_number,
    visits.stage_name,
    visits.entered_at,
    visits.left_at,
    {{ days_between('visits.entered_at', 'visits.left_at') }} as days,
    visits.left_at is null as is_current,
    opportunity.owner_id,
    opportunity.record_type_id,
    opportunity.is_closed,
    opportunity.is_won
from visits
inner join {{ ref('stg_salesforce__opportunity') }} as opportunity
    on visits.opportunity_id = opportunity.opportunity_id
