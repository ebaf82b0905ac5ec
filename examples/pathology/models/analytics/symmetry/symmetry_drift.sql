{{ drift('symmetry') }}
