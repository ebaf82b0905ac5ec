{{ feature('symmetry', 'error', 14) }}
