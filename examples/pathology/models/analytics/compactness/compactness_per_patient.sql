{{ per_patient('compactness') }}
