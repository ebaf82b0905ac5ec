{{ separation('texture') }}
