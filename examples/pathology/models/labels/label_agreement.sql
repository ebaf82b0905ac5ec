select
  biopsies.site_id,
  count(*) as biopsies,
  count(*) filter (where v2.readings > 1) as reviewed,
  count(*) filter (where v1.is_malignant <> v2.is_malignant) as turned
from {{ ref('labels_v1') }} as v1
inner join {{ ref('labels_v2') }} as v2 on v1.biopsy_id = v2.biopsy_id
inner join {{ ref('stg_biopsies') }} as biopsies on v1.biopsy_id = biopsies.biopsy_id
group by biopsies.site_id
