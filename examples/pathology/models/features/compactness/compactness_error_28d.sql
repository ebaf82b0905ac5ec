{{ feature('compactness', 'error', 28) }}
