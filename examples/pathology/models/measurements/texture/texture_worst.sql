{{ measurement('texture', 'worst') }}
