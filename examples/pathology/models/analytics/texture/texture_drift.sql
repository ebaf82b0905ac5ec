{{ drift('texture') }}
