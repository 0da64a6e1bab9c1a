-- Open deals: counted first, then named, so that no name is looked up twice.
with deals as (

    select
        opportunity.stage_name,
        opportunity.forecast_category_name,
        opportunity.owner_id,
        opportunity.record_type_id,
        opportunity.currency_iso_code,
        account.industry,
        {{ fiscal_year('opportunity.close_date', 'org') }} as fiscal_year,
        {{ fiscal_quarter('opportunity.close_date', 'org') }} as fiscal_quarter,
        opportunity.amount,
        opportunity.expected_revenue
    from {{ ref('stg_salesforce__opportunity') }} as opportunity
    left join {{ ref('current_account') }} as merged on opportunity.account_id = merged.account_id
    left join {{ ref('stg_salesforce__account') }} as account
        on account.account_id = coalesce(merged.current_account_id, opportunity.account_id)
    cross join {{ ref('stg_salesforce__organization') }} as org
    where not opportunity.is_closed

),

counted as (

    select
        stage_name,
        forecast_category_name,
        owner_id,
        record_type_id,
        industry,
        fiscal_year,
        fiscal_quarter,
        currency_iso_code,
        count(*) as opportunities,
        {{ count_if('amount is null') }} as opportunities_without_amount,
        coalesce(sum(amount), 0) as amount,
        coalesce(sum(expected_revenue), 0) as expected_revenue
    from deals
    group by 1, 2, 3, 4, 5, 6, 7, 8

)

select
    counted.stage_name,
    counted.forecast_category_name,
    counted.owner_id,
    owner.user_name as owner_name,
    role.user_role_name as owner_role,
    counted.record_type_id,
    record_type.record_type_name as record_type,
    counted.industry,
    counted.fiscal_year,
    counted.fiscal_quarter,
    counted.currency_iso_code,
    counted.opportunities,
    counted.opportunities_without_amount,
    counted.amount,
    counted.expected_revenue
from counted
left join {{ ref('stg_salesforce__user') }} as owner on counted.owner_id = owner.user_id
left join {{ ref('stg_salesforce__user_role') }} as role on owner.user_role_id = role.user_role_id
left join {{ ref('stg_salesforce__record_type') }} as record_type
    on counted.record_type_id = record_type.record_type_id
