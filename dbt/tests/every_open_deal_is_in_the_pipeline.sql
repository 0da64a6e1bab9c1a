-- The deals of the mart are the open deals of the table: nothing is lost or doubled by the joins.
with mart as (select coalesce(sum(opportunities), 0) as deals from {{ ref('pipeline_by_stage') }}),

raw as (
    select count(*) as deals
    from {{ source('salesforce', 'opportunity') }}
    where not is_closed and not is_deleted
)

select mart.deals, raw.deals as raw_deals
from mart
cross join raw
where mart.deals <> raw.deals
