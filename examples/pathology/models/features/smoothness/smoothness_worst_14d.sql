{{ feature('smoothness', 'worst', 14) }}
