-- What each product brings, by the fiscal quarter in which its deals close. Lines are summed for each deal and product
-- first, so that a deal with three lines of a product counts once.
with sold as (

    select
        opportunity_id,
        product_id,
        currency_iso_code,
        coalesce(sum(quantity), 0) as quantity,
        coalesce(sum(total_price), 0) as amount
    from {{ ref('stg_salesforce__opportunity_line_item') }}
    group by 1, 2, 3

),

summed as (

    select
        sold.product_id,
        sold.currency_iso_code,
        {{ fiscal_year('opportunity.close_date', 'org') }} as fiscal_year,
        {{ fiscal_quarter('opportunity.close_date', 'org') }} as fiscal_quarter,
        {{ count_if('not opportunity.is_closed') }} as open_opportunities,
        {{ count_if('opportunity.is_won') }} as won_opportunities,
        {{ count_if('opportunity.is_closed and not opportunity.is_won') }} as lost_opportunities,
        {{ sum_if('opportunity.is_won', 'sold.quantity') }} as won_quantity,
        {{ sum_if('not opportunity.is_closed', 'sold.amount') }} as open_amount,
        {{ sum_if('opportunity.is_won', 'sold.amount') }} as won_amount,
        {{ sum_if('opportunity.is_closed and not opportunity.is_won', 'sold.amount') }} as lost_amount
    from sold
    inner join {{ ref('stg_salesforce__opportunity') }} as opportunity
        on sold.opportunity_id = opportunity.opportunity_id
    cross join {{ ref('stg_salesforce__organization') }} as org
    group by 1, 2, 3, 4

)

select
    summed.product_id,
    product.product_name,
    product.product_code,
    product.family,
    summed.currency_iso_code,
    summed.fiscal_year,
    summed.fiscal_quarter,
    summed.open_opportunities,
    summed.won_opportunities,
    summed.lost_opportunities,
    {{ share('summed.won_opportunities', 'summed.won_opportunities + summed.lost_opportunities') }} as win_rate,
    summed.won_quantity,
    summed.open_amount,
    summed.won_amount,
    summed.lost_amount
from summed
left join {{ ref('stg_salesforce__product') }} as product on summed.product_id = product.product_id
