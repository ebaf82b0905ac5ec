{{ feature('compactness', 'error', 14) }}
