{{ drift('area') }}
