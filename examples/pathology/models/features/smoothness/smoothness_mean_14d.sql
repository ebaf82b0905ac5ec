{{ feature('smoothness', 'mean', 14) }}
