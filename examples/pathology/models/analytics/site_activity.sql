select
  sites.site_id,
  sites.name,
  count(distinct biopsies.patient_id) as patients,
  count(distinct biopsies.biopsy_id) as biopsies,
  count(slides.slide_id) as slides
from {{ ref('stg_sites') }} as sites
left join {{ ref('stg_biopsies') }} as biopsies on sites.site_id = biopsies.site_id
left join {{ ref('stg_slides') }} as slides on biopsies.biopsy_id = slides.biopsy_id
group by sites.site_id, sites.name
