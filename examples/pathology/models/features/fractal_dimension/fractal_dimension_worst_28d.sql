{{ feature('fractal_dimension', 'worst', 28) }}
