{{ feature('perimeter', 'worst', 14) }}
