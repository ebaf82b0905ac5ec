{{ feature('concavity', 'mean', 28) }}
