{{ feature('smoothness', 'error', 28) }}
