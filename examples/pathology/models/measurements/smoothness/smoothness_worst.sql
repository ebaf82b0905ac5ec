{{ measurement('smoothness', 'worst') }}
