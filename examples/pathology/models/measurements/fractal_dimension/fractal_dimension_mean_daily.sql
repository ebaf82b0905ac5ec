{{ measurement_daily('fractal_dimension', 'mean') }}
