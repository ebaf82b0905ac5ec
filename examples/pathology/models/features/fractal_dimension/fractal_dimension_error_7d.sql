{{ feature('fractal_dimension', 'error', 7) }}
