{{ feature('fractal_dimension', 'mean', 28) }}
