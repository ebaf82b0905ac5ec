{{ measurement('compactness', 'worst') }}
