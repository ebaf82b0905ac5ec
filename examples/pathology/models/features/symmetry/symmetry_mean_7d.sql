{{ feature('symmetry', 'mean', 7) }}
