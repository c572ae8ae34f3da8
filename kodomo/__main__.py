"""Run the command line as `python -m kodomo`."""

from kodomo.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
