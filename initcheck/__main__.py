"""`python -m initcheck`: the command line."""

from initcheck.doors.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
