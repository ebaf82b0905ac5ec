{{ feature('compactness', 'mean', 14) }}
