-- What became of leads, by where and when they came from. A lead that was merged away is deleted and not counted; a
-- converted one counts whether or not it became a deal, and its deal counts while it lives.
select
    lead.lead_source,
    cast({{ dbt.date_trunc('month', utc_day('lead.created_date')) }} as date) as created_month,
    count(*) as leads,
    {{ count_if('not lead.is_converted') }} as open_leads,
    {{ count_if('lead.is_converted') }} as converted_leads,
    {{ share(count_if('lead.is_converted'), 'count(*)') }} as conversion_rate,
    {{ count_if('lead.is_converted and opportunity.opportunity_id is not null') }} as opportunities,
    {{ count_if('lead.is_converted and opportunity.is_won') }} as won_opportunities,
    avg(
        case
            when lead.is_converted then {{ dbt.datediff(utc_day('lead.created_date'), 'lead.converted_date', 'day') }}
        end
    ) as average_days_to_convert
from {{ ref('stg_salesforce__lead') }} as lead
left join {{ ref('stg_salesforce__opportunity') }} as opportunity
    on lead.converted_opportunity_id = opportunity.opportunity_id
group by 1, 2
