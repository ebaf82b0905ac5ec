{{ feature('smoothness', 'mean', 7) }}
