{{ measurement_daily('compactness', 'mean') }}
