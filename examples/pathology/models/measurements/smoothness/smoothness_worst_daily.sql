{{ measurement_daily('smoothness', 'worst') }}
