{{ per_patient('texture') }}
