{{ feature('radius', 'worst', 7) }}
