{{ feature('area', 'error', 7) }}
