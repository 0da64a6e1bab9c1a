{{ config(materialized='view') }}

{{ validity(source('salesforce', 'opportunity_changes')) }}
