{{ feature('concave_points', 'mean', 7) }}
