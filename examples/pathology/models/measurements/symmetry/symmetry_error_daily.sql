{{ measurement_daily('symmetry', 'error') }}
