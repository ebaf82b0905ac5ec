{{ feature('concavity', 'worst', 14) }}
