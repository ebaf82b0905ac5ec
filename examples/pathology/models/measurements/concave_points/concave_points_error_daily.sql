{{ measurement_daily('concave_points', 'error') }}
