select site_id, trim(name) as name, upper(country) as country
from {{ source('raw', 'sites') }}
