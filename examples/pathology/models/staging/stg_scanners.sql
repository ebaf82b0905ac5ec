select scanner_id, site_id, model, cast(installed_on as date) as installed_on
from {{ source('raw', 'scanners') }}
