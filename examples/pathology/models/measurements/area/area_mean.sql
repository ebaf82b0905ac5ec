{{ measurement('area', 'mean') }}
