{{ feature('smoothness', 'worst', 7) }}
