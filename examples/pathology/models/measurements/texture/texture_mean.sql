{{ measurement('texture', 'mean') }}
