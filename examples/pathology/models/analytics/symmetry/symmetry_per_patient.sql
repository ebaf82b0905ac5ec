{{ per_patient('symmetry') }}
