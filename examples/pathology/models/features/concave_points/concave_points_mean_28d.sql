{{ feature('concave_points', 'mean', 28) }}
