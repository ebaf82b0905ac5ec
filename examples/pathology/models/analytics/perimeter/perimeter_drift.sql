{{ drift('perimeter') }}
