{{ feature('fractal_dimension', 'error', 14) }}
