{{ separation('smoothness') }}
