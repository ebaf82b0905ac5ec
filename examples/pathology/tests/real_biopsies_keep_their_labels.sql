-- The 569 biopsies of the Wisconsin data set: 212 malignant, 357 benign, as published.
select malignant, biopsies
from (
  select
    count(*) filter (where labels.is_malignant) as malignant,
    count(*) as biopsies
  from {{ ref('labels_v2') }} as labels
  inner join {{ ref('stg_biopsies') }} as biopsies on labels.biopsy_id = biopsies.biopsy_id
  where biopsies.origin = 'wisconsin'
) as counted
where malignant <> 212 or biopsies <> 569
