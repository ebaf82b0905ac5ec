{{ drift('compactness') }}
