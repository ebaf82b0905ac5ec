{{ per_patient('concavity') }}
