{{ feature('texture', 'error', 7) }}
