{{ measurement('perimeter', 'mean') }}
