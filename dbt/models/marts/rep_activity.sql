-- What each user did on each day (UTC): every kind of activity is counted by itself, then the counts are added.
-- Series are counted by their occurrences, not by the row that holds the pattern; a queue's rows count for no user.
with done as (

    select
        owner_id,
        coalesce({{ utc_day('completed_date_time') }}, activity_date) as day,
        count(*) as tasks_completed,
        {{ count_if("task_subtype = 'Call'") }} as calls,
        coalesce(sum(call_duration_in_seconds), 0) / 60.0 as call_minutes,
        0 as tasks_due_open,
        0 as events,
        0 as event_minutes,
        0 as cases_closed
    from {{ ref('stg_salesforce__task') }}
    where is_closed and not coalesce(is_recurrence, false)
    group by 1, 2

),

due as (

    select
        owner_id,
        activity_date as day,
        0 as tasks_completed,
        0 as calls,
        0 as call_minutes,
        count(*) as tasks_due_open,
        0 as events,
        0 as event_minutes,
        0 as cases_closed
    from {{ ref('stg_salesforce__task') }}
    where not is_closed and not coalesce(is_recurrence, false)
    group by 1, 2

),

met as (

    select
        owner_id,
        coalesce(activity_date, {{ utc_day('start_date_time') }}) as day,
        0 as tasks_completed,
        0 as calls,
        0 as call_minutes,
        0 as tasks_due_open,
        count(*) as events,
        coalesce(sum(case when not is_all_day_event then duration_in_minutes end), 0) as event_minutes,
        0 as cases_closed
    from {{ ref('stg_salesforce__event') }}
    where not coalesce(is_recurrence, false)
    group by 1, 2

),

solved as (

    select
        owner_id,
        {{ utc_day('closed_date') }} as day,
        0 as tasks_completed,
        0 as calls,
        0 as call_minutes,
        0 as tasks_due_open,
        0 as events,
        0 as event_minutes,
        count(*) as cases_closed
    from {{ ref('stg_salesforce__case') }}
    where is_closed
    group by 1, 2

),

together as (

    select
        owner_id,
        day,
        sum(tasks_completed) as tasks_completed,
        sum(calls) as calls,
        sum(call_minutes) as call_minutes,
        sum(tasks_due_open) as tasks_due_open,
        sum(events) as events,
        sum(event_minutes) as event_minutes,
        sum(cases_closed) as cases_closed
    from (
        select * from done
        union all
        select * from due
        union all
        select * from met
        union all
        select * from solved
    ) as every_kind
    where day is not null
    group by 1, 2

)

select
    together.owner_id,
    owner.user_name as owner_name,
    role.user_role_name as owner_role,
    owner.manager_id,
    together.day,
    together.tasks_completed,
    together.calls,
    together.call_minutes,
    together.tasks_due_open,
    together.events,
    together.event_minutes,
    together.cases_closed
from together
inner join {{ ref('stg_salesforce__user') }} as owner on together.owner_id = owner.user_id
left join {{ ref('stg_salesforce__user_role') }} as role on owner.user_role_id = role.user_role_id
