{{ feature('perimeter', 'error', 14) }}
