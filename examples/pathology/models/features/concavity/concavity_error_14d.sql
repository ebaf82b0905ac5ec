{{ feature('concavity', 'error', 14) }}
