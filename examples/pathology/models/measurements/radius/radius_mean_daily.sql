{{ measurement_daily('radius', 'mean') }}
