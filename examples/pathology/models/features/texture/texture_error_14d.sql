{{ feature('texture', 'error', 14) }}
