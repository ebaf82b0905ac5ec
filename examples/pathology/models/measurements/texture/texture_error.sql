{{ measurement('texture', 'error') }}
