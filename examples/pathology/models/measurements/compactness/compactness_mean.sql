{{ measurement('compactness', 'mean') }}
