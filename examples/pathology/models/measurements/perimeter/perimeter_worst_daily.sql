{{ measurement_daily('perimeter', 'worst') }}
