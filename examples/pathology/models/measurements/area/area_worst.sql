{{ measurement('area', 'worst') }}
