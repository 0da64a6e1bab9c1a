-- Open deals at the end of each day on which one changed, by stage. Each version enters on its first day and leaves on
-- its last one, so that a running sum is the pipeline: the work grows with the changes, not with days times deals.
with versions as (

    select
        stage_name,
        coalesce(amount, 0) as amount,
        {{ utc_day('valid_from') }} as first_day,
        {{ utc_day('valid_to') }} as last_day
    from {{ ref('opportunity_validity') }}
    where not coalesce(is_closed, false)

),

moves as (

    select
        first_day as day,
        stage_name,
        1 as opportunities,
        amount
    from versions
    union all
    select
        last_day as day,
        stage_name,
        -1 as opportunities,
        -amount as amount
    from versions
    where last_day is not null

),

daily as (

    select
        day,
        stage_name,
        sum(opportunities) as opportunities,
        sum(amount) as amount
    from moves
    group by 1, 2

),

grid as (

    select
        days.day,
        stages.stage_name
    from (select distinct day from daily) as days
    cross join (select distinct stage_name from daily) as stages

)

select
    grid.day,
    grid.stage_name,
    sum(coalesce(daily.opportunities, 0)) over (
        partition by grid.stage_name order by grid.day rows between unbounded preceding and current row
    ) as opportunities,
    sum(coalesce(daily.amount, 0)) over (
        partition by grid.stage_name order by grid.day rows between unbounded preceding and current row
    ) as amount
from grid
left join daily on daily.day = grid.day and daily.stage_name = grid.stage_name
