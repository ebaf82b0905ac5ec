select
  diagnosis_id,
  biopsy_id,
  pathologist,
  kind,
  diagnosis = 'M' as is_malignant,
  diagnosis,
  signed_at,
  loaded_on
from {{ source('raw', 'diagnoses') }}
