{{ feature('texture', 'worst', 28) }}
