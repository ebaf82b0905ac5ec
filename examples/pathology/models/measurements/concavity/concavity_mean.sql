{{ measurement('concavity', 'mean') }}
