-- Biopsies whose label the review turned: every model trained on version 1 has learnt these wrong.
select
  v2.biopsy_id,
  v1.is_malignant as was_malignant,
  v2.is_malignant,
  v1.signed_at as first_signed_at,
  v2.signed_at as turned_at
from {{ ref('labels_v2') }} as v2
inner join {{ ref('labels_v1') }} as v1 on v2.biopsy_id = v1.biopsy_id
where v1.is_malignant <> v2.is_malignant
