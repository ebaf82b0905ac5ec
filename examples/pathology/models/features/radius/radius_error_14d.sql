{{ feature('radius', 'error', 14) }}
