{{ measurement('symmetry', 'error') }}
