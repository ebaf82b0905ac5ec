{{ feature('area', 'worst', 14) }}
