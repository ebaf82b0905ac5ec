{{ measurement_daily('area', 'mean') }}
