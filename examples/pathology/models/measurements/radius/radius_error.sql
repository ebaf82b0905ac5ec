{{ measurement('radius', 'error') }}
