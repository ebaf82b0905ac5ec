{{ measurement_daily('fractal_dimension', 'error') }}
