"""`python -m tda_landscape.cli` is the same as `tda-landscape`."""

from tda_landscape.cli import main

if __name__ == "__main__":
    main()
