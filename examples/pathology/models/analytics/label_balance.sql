select
  biopsies.site_id,
  labels.is_malignant,
  count(*) as biopsies
from {{ ref('labels_v2') }} as labels
inner join {{ ref('stg_biopsies') }} as biopsies on labels.biopsy_id = biopsies.biopsy_id
group by biopsies.site_id, labels.is_malignant
