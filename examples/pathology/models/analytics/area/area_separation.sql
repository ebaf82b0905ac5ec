{{ separation('area') }}
