{{ drift('fractal_dimension') }}
