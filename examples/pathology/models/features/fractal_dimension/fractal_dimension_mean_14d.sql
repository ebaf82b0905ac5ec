{{ feature('fractal_dimension', 'mean', 14) }}
