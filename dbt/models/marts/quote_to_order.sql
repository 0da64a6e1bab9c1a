-- What was offered and what was ordered: a row for each quote, and one for each order that no living quote led to.
-- Lines are summed before they meet their quotes and orders; money of another currency than the quote's is not added.
with quote_lines as (

    select quote_id, count(*) as quote_lines, coalesce(sum(total_price), 0) as quoted_amount
    from {{ ref('stg_salesforce__quote_line_item') }}
    group by 1

),

order_lines as (

    select order_id, count(*) as order_lines, coalesce(sum(total_price), 0) as ordered_amount
    from {{ ref('stg_salesforce__order_item') }}
    group by 1

),

orders as (

    select
        sales_order.sales_order_id,
        quote.quote_id,
        coalesce(quote.currency_iso_code, sales_order.currency_iso_code) as currency_iso_code,
        sales_order.opportunity_id,
        coalesce(merged.current_account_id, sales_order.account_id) as account_id,
        sales_order.activated_date,
        sales_order.activated_date is not null as is_activated,
        quote.quote_id is not null
            and quote.currency_iso_code <> sales_order.currency_iso_code as is_other_currency,
        coalesce(order_lines.order_lines, 0) as order_lines,
        coalesce(order_lines.ordered_amount, 0) as ordered_amount
    from {{ ref('stg_salesforce__sales_order') }} as sales_order
    left join {{ ref('stg_salesforce__quote') }} as quote on sales_order.quote_id = quote.quote_id
    left join order_lines on sales_order.sales_order_id = order_lines.order_id
    left join {{ ref('current_account') }} as merged on sales_order.account_id = merged.account_id

),

ordered as (

    select
        coalesce(quote_id, sales_order_id) as document_id,
        quote_id,
        min(currency_iso_code) as currency_iso_code,
        min(opportunity_id) as opportunity_id,
        min(account_id) as account_id,
        count(*) as orders,
        {{ count_if('is_activated') }} as activated_orders,
        {{ count_if('is_other_currency') }} as orders_in_other_currency,
        sum(order_lines) as order_lines,
        {{ sum_if('not is_other_currency', 'ordered_amount') }} as ordered_amount,
        {{ sum_if('is_activated and not is_other_currency', 'ordered_amount') }} as activated_amount,
        min(activated_date) as first_activated_at
    from orders
    group by 1, 2

),

quotes as (

    select
        quote.quote_id,
        quote.opportunity_id,
        coalesce(merged.current_account_id, quote.account_id) as account_id,
        quote.currency_iso_code,
        quote.status,
        quote.is_syncing,
        quote.created_date,
        coalesce(quote_lines.quote_lines, 0) as quote_lines,
        coalesce(quote_lines.quoted_amount, 0) as quoted_amount
    from {{ ref('stg_salesforce__quote') }} as quote
    left join quote_lines on quote.quote_id = quote_lines.quote_id
    left join {{ ref('current_account') }} as merged on quote.account_id = merged.account_id

)

select
    coalesce(quotes.quote_id, ordered.document_id) as document_id,
    case when quotes.quote_id is null then 'order' else 'quote' end as document,
    quotes.quote_id,
    coalesce(quotes.opportunity_id, ordered.opportunity_id) as opportunity_id,
    coalesce(quotes.account_id, ordered.account_id) as account_id,
    coalesce(quotes.currency_iso_code, ordered.currency_iso_code) as currency_iso_code,
    quotes.status as quote_status,
    quotes.is_syncing,
    quotes.created_date as quoted_at,
    coalesce(quotes.quote_lines, 0) as quote_lines,
    coalesce(quotes.quoted_amount, 0) as quoted_amount,
    coalesce(ordered.orders, 0) as orders,
    coalesce(ordered.activated_orders, 0) as activated_orders,
    coalesce(ordered.orders_in_other_currency, 0) as orders_in_other_currency,
    coalesce(ordered.order_lines, 0) as order_lines,
    coalesce(ordered.ordered_amount, 0) as ordered_amount,
    coalesce(ordered.activated_amount, 0) as activated_amount,
    ordered.first_activated_at,
    {{ days_between('quotes.created_date', 'ordered.first_activated_at') }} as days_to_order
from quotes
full outer join ordered on quotes.quote_id = ordered.quote_id
