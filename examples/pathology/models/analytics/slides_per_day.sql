select scanned_day, stain, count(*) as slides, cast(sum(image_bytes) as bigint) as image_bytes
from {{ ref('stg_slides') }}
group by scanned_day, stain
