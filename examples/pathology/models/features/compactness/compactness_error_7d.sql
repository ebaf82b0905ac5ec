{{ feature('compactness', 'error', 7) }}
