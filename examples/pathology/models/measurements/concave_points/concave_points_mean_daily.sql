{{ measurement_daily('concave_points', 'mean') }}
