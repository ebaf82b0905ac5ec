select day, count(*) as readings, sum(value) as total
from {{ ref('readings') }}
group by day
