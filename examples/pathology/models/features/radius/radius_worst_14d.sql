{{ feature('radius', 'worst', 14) }}
