{{ measurement('compactness', 'error') }}
