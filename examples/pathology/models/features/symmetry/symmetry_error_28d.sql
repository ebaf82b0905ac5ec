{{ feature('symmetry', 'error', 28) }}
