{{ drift('smoothness') }}
