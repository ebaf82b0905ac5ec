{{ measurement_daily('smoothness', 'mean') }}
