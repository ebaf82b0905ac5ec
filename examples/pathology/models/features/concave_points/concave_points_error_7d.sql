{{ feature('concave_points', 'error', 7) }}
