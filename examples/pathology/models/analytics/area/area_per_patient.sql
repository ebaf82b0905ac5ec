{{ per_patient('area') }}
