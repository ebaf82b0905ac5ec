{{ measurement_daily('concavity', 'mean') }}
