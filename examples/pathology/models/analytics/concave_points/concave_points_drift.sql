{{ drift('concave_points') }}
