{{ feature('concave_points', 'worst', 7) }}
