{{ feature('area', 'worst', 28) }}
