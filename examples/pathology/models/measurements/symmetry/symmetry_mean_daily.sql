{{ measurement_daily('symmetry', 'mean') }}
