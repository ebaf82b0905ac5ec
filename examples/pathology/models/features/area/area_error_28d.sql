{{ feature('area', 'error', 28) }}
