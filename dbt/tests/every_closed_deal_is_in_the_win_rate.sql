with mart as (select coalesce(sum(closed_opportunities), 0) as deals from {{ ref('win_rate') }}),

raw as (
    select count(*) as deals
    from {{ source('salesforce', 'opportunity') }}
    where is_closed and not is_deleted
)

select mart.deals, raw.deals as raw_deals
from mart
cross join raw
where mart.deals <> raw.deals
