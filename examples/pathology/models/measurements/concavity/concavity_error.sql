{{ measurement('concavity', 'error') }}
