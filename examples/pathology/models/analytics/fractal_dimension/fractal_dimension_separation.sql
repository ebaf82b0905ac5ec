{{ separation('fractal_dimension') }}
