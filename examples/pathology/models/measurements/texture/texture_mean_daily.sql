{{ measurement_daily('texture', 'mean') }}
