{{ feature('concavity', 'mean', 7) }}
