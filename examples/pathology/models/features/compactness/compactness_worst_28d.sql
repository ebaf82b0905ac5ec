{{ feature('compactness', 'worst', 28) }}
