{{ feature('area', 'error', 14) }}
