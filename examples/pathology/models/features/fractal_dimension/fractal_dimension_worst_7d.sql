{{ feature('fractal_dimension', 'worst', 7) }}
