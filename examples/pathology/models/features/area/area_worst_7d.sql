{{ feature('area', 'worst', 7) }}
