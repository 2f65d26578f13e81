"""`python -m initcheck`: the command line."""

from initcheck.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
