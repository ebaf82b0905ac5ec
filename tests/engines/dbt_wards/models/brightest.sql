{{ config(materialized='view') }}

select max(total) as total
from {{ ref('daily') }}
