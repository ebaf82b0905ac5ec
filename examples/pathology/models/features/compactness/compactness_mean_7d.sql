{{ feature('compactness', 'mean', 7) }}
