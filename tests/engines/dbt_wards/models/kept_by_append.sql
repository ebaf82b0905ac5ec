{{ config(materialized='incremental', incremental_strategy='append') }}

select scanner, day, value
from {{ ref('readings') }}
{% if is_incremental() %}
where day > (select max(day) from {{ this }})
{% endif %}
