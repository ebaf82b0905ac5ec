{{ feature('symmetry', 'mean', 14) }}
