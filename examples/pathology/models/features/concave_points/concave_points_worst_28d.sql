{{ feature('concave_points', 'worst', 28) }}
