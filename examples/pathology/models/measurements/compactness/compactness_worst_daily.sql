{{ measurement_daily('compactness', 'worst') }}
