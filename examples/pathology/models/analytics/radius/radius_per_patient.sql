{{ per_patient('radius') }}
