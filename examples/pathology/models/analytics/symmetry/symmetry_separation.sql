{{ separation('symmetry') }}
