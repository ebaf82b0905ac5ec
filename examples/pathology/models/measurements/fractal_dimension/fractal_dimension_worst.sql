{{ measurement('fractal_dimension', 'worst') }}
