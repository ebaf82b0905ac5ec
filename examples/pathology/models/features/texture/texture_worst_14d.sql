{{ feature('texture', 'worst', 14) }}
