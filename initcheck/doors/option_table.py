"""The options of a run as a table for the guide: ``python -m initcheck.doors.option_table`` prints it."""

from __future__ import annotations

from initcheck.doors.options import KIND_OF_CLAIM, OPTIONS

# What pytest has in the place of an option of the command line.
_IN_PYTEST = {"jobs": "pytest: `-n N` of xdist", "failed": "pytest: `--lf`", "check": "pytest: `--initcheck-lock=FILE`"}


def table() -> str:
    """One row an option, in Markdown, made of what ``--help`` is made of.

    >>> table().splitlines()[2]
    '| `--claims A,B` | `claims` | ask only these claims (ids, separated by commas) |'
    """
    rows = ["| option | in `[tool.initcheck]` | what it does |", "| --- | --- | --- |"]
    for option in OPTIONS:
        said = f"--{option.name} {option.metavar}" if option.metavar else f"--{option.name}"
        flag = f"`-{option.short} {option.metavar}`, `{said}`" if option.short else f"`{said}`"
        key = f"`{option.name}`" if option.configured else ""
        only = f" ({_IN_PYTEST.get(option.name, 'not in pytest')})" if option.door == "command line" else ""
        of = "" if len(option.of) == len(KIND_OF_CLAIM) else f"{' and '.join(option.of)}: "
        rows.append(f"| {flag} | {key} | {of}{option.help}{only} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(table(), end="")
