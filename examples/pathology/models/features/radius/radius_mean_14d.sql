{{ feature('radius', 'mean', 14) }}
