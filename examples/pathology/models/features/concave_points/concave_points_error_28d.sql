{{ feature('concave_points', 'error', 28) }}
