{{ feature('perimeter', 'error', 7) }}
