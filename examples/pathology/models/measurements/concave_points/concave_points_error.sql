{{ measurement('concave_points', 'error') }}
