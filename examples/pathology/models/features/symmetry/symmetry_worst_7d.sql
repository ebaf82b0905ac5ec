{{ feature('symmetry', 'worst', 7) }}
