{{ feature('symmetry', 'worst', 28) }}
