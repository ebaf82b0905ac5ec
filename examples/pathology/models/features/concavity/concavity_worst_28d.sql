{{ feature('concavity', 'worst', 28) }}
