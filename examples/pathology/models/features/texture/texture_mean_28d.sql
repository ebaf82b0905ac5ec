{{ feature('texture', 'mean', 28) }}
