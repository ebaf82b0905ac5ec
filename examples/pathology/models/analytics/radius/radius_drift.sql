{{ drift('radius') }}
