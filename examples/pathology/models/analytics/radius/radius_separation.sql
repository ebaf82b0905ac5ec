{{ separation('radius') }}
