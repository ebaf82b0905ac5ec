-- Days from the biopsy to the first signature.
select
  biopsies.site_id,
  {{ day_number('cast(labels.signed_at as date)') }} - {{ day_number('biopsies.taken_on') }} as days,
  count(*) as biopsies
from {{ ref('labels_v1') }} as labels
inner join {{ ref('stg_biopsies') }} as biopsies on labels.biopsy_id = biopsies.biopsy_id
group by
  biopsies.site_id,
  {{ day_number('cast(labels.signed_at as date)') }} - {{ day_number('biopsies.taken_on') }}
