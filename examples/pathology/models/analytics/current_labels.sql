{{ config(materialized='view') }}
select labels.biopsy_id, biopsies.patient_id, biopsies.site_id, labels.is_malignant, labels.readings
from {{ ref('labels_v2') }} as labels
inner join {{ ref('stg_biopsies') }} as biopsies on labels.biopsy_id = biopsies.biopsy_id
