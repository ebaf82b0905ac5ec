{{ feature('smoothness', 'error', 14) }}
