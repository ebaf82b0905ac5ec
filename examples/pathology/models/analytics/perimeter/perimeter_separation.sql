{{ separation('perimeter') }}
