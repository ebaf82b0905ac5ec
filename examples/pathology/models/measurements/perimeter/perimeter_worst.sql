{{ measurement('perimeter', 'worst') }}
