-- Version 2: a review outweighs the first reading; what a review changes, changes in old biopsies.
{{ config(
  materialized='incremental', incremental_strategy='merge', unique_key='biopsy_id'
) }}
select biopsy_id, is_malignant, readings, signed_at, loaded_on
from (
  select
    diagnoses.*,
    count(*) over (partition by biopsy_id) as readings,
    row_number() over (
      partition by biopsy_id
      order by case when kind = 'review' then 0 else 1 end, signed_at desc, diagnosis_id desc
    ) as place
  from {{ ref('stg_diagnoses') }} as diagnoses
  {% if is_incremental() -%}
  where biopsy_id in (
    select biopsy_id from {{ ref('stg_diagnoses') }} where {{ newly_loaded() }}
  )
  {%- endif %}
) as ordered
where place = 1
