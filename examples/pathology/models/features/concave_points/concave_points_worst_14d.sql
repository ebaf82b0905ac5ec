{{ feature('concave_points', 'worst', 14) }}
