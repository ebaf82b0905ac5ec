{{ feature('radius', 'mean', 7) }}
