{{ feature('fractal_dimension', 'error', 28) }}
