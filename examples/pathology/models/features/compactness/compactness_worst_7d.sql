{{ feature('compactness', 'worst', 7) }}
