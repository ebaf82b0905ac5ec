{{ measurement('smoothness', 'mean') }}
