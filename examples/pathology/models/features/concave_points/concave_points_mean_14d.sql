{{ feature('concave_points', 'mean', 14) }}
