{{ feature('concave_points', 'error', 14) }}
