{{ per_patient('fractal_dimension') }}
