{{ measurement('area', 'error') }}
