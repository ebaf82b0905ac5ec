{{ feature('radius', 'worst', 28) }}
