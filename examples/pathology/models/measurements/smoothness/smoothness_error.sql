{{ measurement('smoothness', 'error') }}
