{{ measurement('symmetry', 'mean') }}
