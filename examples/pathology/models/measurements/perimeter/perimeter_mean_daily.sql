{{ measurement_daily('perimeter', 'mean') }}
