{{ measurement_daily('concavity', 'worst') }}
