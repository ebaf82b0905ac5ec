{{ feature('perimeter', 'mean', 7) }}
