{{ feature('concavity', 'error', 28) }}
