{{ feature('perimeter', 'worst', 7) }}
