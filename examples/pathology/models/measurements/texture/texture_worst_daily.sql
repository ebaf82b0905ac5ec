{{ measurement_daily('texture', 'worst') }}
