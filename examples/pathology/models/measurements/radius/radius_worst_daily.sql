{{ measurement_daily('radius', 'worst') }}
