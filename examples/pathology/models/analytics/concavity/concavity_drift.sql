{{ drift('concavity') }}
