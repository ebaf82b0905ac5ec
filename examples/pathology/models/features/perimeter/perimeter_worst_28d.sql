{{ feature('perimeter', 'worst', 28) }}
