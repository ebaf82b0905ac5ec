{{ feature('concavity', 'mean', 14) }}
