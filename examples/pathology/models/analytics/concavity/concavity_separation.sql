{{ separation('concavity') }}
