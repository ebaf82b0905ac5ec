{{ measurement_daily('compactness', 'error') }}
