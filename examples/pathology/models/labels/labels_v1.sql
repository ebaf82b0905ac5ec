-- Version 1: what the first pathologist signed, whatever was found later.
select biopsy_id, is_malignant, pathologist, signed_at
from (
  select
    diagnoses.*,
    row_number() over (partition by biopsy_id order by signed_at, diagnosis_id) as place
  from {{ ref('stg_diagnoses') }} as diagnoses
  where kind = 'first reading'
) as ordered
where place = 1
