{{ per_patient('concave_points') }}
