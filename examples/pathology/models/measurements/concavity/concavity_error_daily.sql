{{ measurement_daily('concavity', 'error') }}
