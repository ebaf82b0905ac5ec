select
  scanners.scanner_id,
  scanners.model,
  slides.scanned_day,
  count(slides.slide_id) as slides
from {{ ref('stg_scanners') }} as scanners
inner join {{ ref('stg_slides') }} as slides on scanners.scanner_id = slides.scanner_id
group by scanners.scanner_id, scanners.model, slides.scanned_day
