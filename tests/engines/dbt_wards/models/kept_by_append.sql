{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns') }}

select scanner, day, value
from {{ ref('readings') }}
{% if is_incremental() %}
where day > (select max(day) from {{ this }})
{% endif %}
