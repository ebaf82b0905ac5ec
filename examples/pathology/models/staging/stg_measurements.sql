{{ config(materialized='incremental', incremental_strategy='append') }}
select *
from {{ source('raw', 'measurements') }}
where {{ newly_loaded() }}
