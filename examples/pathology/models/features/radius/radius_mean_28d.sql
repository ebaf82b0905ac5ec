{{ feature('radius', 'mean', 28) }}
