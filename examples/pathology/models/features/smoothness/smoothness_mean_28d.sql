{{ feature('smoothness', 'mean', 28) }}
