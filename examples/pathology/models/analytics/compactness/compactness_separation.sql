{{ separation('compactness') }}
