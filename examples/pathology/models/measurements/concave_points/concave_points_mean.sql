{{ measurement('concave_points', 'mean') }}
