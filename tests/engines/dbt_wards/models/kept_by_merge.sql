{{ config(materialized='incremental', incremental_strategy='merge', unique_key='scanner', on_schema_change='sync_all_columns') }}

select cast(scanner as int) as scanner, day, value
from {{ ref('readings') }}
{% if is_incremental() %}
where day > (select max(day) from {{ this }})
{% endif %}
