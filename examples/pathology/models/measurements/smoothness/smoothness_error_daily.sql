{{ measurement_daily('smoothness', 'error') }}
