{{ measurement_daily('area', 'worst') }}
