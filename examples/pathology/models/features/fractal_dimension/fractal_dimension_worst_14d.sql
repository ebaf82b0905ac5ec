{{ feature('fractal_dimension', 'worst', 14) }}
