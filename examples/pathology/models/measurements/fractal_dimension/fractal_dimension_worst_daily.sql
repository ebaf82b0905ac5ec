{{ measurement_daily('fractal_dimension', 'worst') }}
