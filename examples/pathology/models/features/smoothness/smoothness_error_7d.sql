{{ feature('smoothness', 'error', 7) }}
