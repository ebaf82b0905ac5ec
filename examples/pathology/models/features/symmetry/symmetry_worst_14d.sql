{{ feature('symmetry', 'worst', 14) }}
