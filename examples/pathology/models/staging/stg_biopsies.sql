select
  biopsy_id,
  patient_id,
  cast(substring(patient_id, 2) as bigint) as patient_number,
  site_id,
  taken_on,
  origin,
  loaded_on
from {{ source('raw', 'biopsies') }}
