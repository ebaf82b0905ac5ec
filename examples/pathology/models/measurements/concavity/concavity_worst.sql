{{ measurement('concavity', 'worst') }}
