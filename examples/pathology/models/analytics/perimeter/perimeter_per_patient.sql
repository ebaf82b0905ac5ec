{{ per_patient('perimeter') }}
