{{ config(materialized='incremental', incremental_strategy='insert_overwrite', partition_by=['day']) }}

select scanner, value, day
from {{ ref('readings') }}
{% if is_incremental() %}
where day >= (select max(day) from {{ this }})
{% endif %}
