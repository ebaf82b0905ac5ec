{{ measurement_daily('perimeter', 'error') }}
