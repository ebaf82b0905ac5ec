{{ measurement('radius', 'mean') }}
