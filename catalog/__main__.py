"""`python -m catalog` is `mainstem`."""

from catalog.cli.main import main

if __name__ == "__main__":
    main()
