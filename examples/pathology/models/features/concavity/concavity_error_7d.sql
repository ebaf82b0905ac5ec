{{ feature('concavity', 'error', 7) }}
