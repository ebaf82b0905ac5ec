{{ feature('radius', 'error', 28) }}
