-- Closed deals by the fiscal quarter that they closed in.
with counted as (

    select
        opportunity.owner_id,
        opportunity.record_type_id,
        {{ fiscal_year('opportunity.close_date', 'org') }} as fiscal_year,
        {{ fiscal_quarter('opportunity.close_date', 'org') }} as fiscal_quarter,
        opportunity.currency_iso_code,
        count(*) as closed_opportunities,
        {{ count_if('opportunity.is_won') }} as won_opportunities,
        {{ count_if('not opportunity.is_won') }} as lost_opportunities,
        {{ sum_if('opportunity.is_won', 'opportunity.amount') }} as won_amount,
        {{ sum_if('not opportunity.is_won', 'opportunity.amount') }} as lost_amount
    from {{ ref('stg_salesforce__opportunity') }} as opportunity
    cross join {{ ref('stg_salesforce__organization') }} as org
    where opportunity.is_closed
    group by 1, 2, 3, 4, 5

)

select
    counted.owner_id,
    owner.user_name as owner_name,
    counted.record_type_id,
    record_type.record_type_name as record_type,
    counted.fiscal_year,
    counted.fiscal_quarter,
    counted.currency_iso_code,
    counted.closed_opportunities,
    counted.won_opportunities,
    counted.lost_opportunities,
    {{ share('counted.won_opportunities', 'counted.closed_opportunities') }} as win_rate,
    counted.won_amount,
    counted.lost_amount
from counted
left join {{ ref('stg_salesforce__user') }} as owner on counted.owner_id = owner.user_id
left join {{ ref('stg_salesforce__record_type') }} as record_type
    on counted.record_type_id = record_type.record_type_id
