{{ measurement('perimeter', 'error') }}
