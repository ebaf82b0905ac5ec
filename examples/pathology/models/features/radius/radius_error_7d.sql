{{ feature('radius', 'error', 7) }}
