select
  cast(floor((2026 - patients.birth_year) / 10) * 10 as int) as age_from,
  labels.is_malignant,
  count(distinct patients.patient_id) as patients
from {{ ref('stg_patients') }} as patients
inner join {{ ref('stg_biopsies') }} as biopsies on patients.patient_id = biopsies.patient_id
inner join {{ ref('labels_v2') }} as labels on biopsies.biopsy_id = labels.biopsy_id
group by cast(floor((2026 - patients.birth_year) / 10) * 10 as int), labels.is_malignant
