{{ feature('texture', 'mean', 7) }}
