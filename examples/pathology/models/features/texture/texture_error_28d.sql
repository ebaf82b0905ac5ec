{{ feature('texture', 'error', 28) }}
