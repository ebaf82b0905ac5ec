{{ feature('texture', 'mean', 14) }}
