{{ feature('compactness', 'worst', 14) }}
