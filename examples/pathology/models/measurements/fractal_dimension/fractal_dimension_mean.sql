{{ measurement('fractal_dimension', 'mean') }}
