{{ feature('texture', 'worst', 7) }}
