{{ config(materialized='ephemeral') }}

-- Accounts that were merged away, and the account that each of them is part of now: rows may still point at the former.
-- A merged account may be merged on; six merges in a row are followed.
with merged as (

    select id as account_id, master_record_id
    from {{ source('salesforce', 'account') }}
    where master_record_id is not null

)

select
    hop_1.account_id,
    coalesce(
        hop_6.master_record_id,
        hop_5.master_record_id,
        hop_4.master_record_id,
        hop_3.master_record_id,
        hop_2.master_record_id,
        hop_1.master_record_id
    ) as current_account_id
from merged as hop_1
left join merged as hop_2 on hop_1.master_record_id = hop_2.account_id
left join merged as hop_3 on hop_2.master_record_id = hop_3.account_id
left join merged as hop_4 on hop_3.master_record_id = hop_4.account_id
left join merged as hop_5 on hop_4.master_record_id = hop_5.account_id
left join merged as hop_6 on hop_5.master_record_id = hop_6.account_id
