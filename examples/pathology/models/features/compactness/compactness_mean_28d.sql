{{ feature('compactness', 'mean', 28) }}
