{{ feature('fractal_dimension', 'mean', 7) }}
