{{ measurement_daily('radius', 'error') }}
