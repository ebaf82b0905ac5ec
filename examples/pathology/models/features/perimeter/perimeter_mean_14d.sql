{{ feature('perimeter', 'mean', 14) }}
