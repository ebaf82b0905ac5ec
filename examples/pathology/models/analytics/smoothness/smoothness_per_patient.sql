{{ per_patient('smoothness') }}
