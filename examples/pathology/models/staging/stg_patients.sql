select patient_id, site_id, birth_year, loaded_on
from {{ source('raw', 'patients') }}
