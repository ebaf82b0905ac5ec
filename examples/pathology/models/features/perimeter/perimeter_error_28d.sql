{{ feature('perimeter', 'error', 28) }}
