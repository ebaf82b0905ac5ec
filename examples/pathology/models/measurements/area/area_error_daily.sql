{{ measurement_daily('area', 'error') }}
