{{ feature('symmetry', 'error', 7) }}
