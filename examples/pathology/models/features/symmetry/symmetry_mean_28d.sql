{{ feature('symmetry', 'mean', 28) }}
