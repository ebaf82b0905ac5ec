{{ feature('concavity', 'worst', 7) }}
