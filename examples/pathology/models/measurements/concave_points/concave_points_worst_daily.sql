{{ measurement_daily('concave_points', 'worst') }}
