{{ measurement_daily('symmetry', 'worst') }}
