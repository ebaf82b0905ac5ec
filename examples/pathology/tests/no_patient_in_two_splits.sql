select biopsies.patient_id
from {{ ref('training_v2_7d') }} as rows_of_training
inner join {{ ref('stg_biopsies') }} as biopsies on rows_of_training.biopsy_id = biopsies.biopsy_id
group by biopsies.patient_id
having count(distinct rows_of_training.split) > 1
