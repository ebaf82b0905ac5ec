{{ separation('concave_points') }}
