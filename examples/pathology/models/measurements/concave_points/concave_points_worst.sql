{{ measurement('concave_points', 'worst') }}
