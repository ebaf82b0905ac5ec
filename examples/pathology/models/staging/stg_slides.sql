{{ config(materialized='incremental', incremental_strategy='append') }}
select
  slides.slide_id,
  slides.biopsy_id,
  slides.scanner_id,
  slides.scanned_at,
  {{ day_number('cast(slides.scanned_at as date)') }} as scanned_day,
  slides.stain,
  slides.image_bytes,
  slides.loaded_on
from {{ source('raw', 'slides') }} as slides
where {{ newly_loaded('slides.') }}
