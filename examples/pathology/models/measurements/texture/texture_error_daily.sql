{{ measurement_daily('texture', 'error') }}
