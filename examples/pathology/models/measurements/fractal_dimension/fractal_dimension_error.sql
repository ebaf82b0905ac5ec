{{ measurement('fractal_dimension', 'error') }}
