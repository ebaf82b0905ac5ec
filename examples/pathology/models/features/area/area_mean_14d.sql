{{ feature('area', 'mean', 14) }}
