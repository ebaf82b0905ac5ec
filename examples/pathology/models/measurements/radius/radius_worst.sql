{{ measurement('radius', 'worst') }}
