{{ feature('smoothness', 'worst', 28) }}
