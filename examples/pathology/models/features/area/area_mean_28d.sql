{{ feature('area', 'mean', 28) }}
