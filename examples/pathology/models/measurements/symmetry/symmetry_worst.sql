{{ measurement('symmetry', 'worst') }}
