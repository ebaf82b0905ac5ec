{{ feature('area', 'mean', 7) }}
