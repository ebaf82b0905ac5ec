{{ feature('perimeter', 'mean', 28) }}
