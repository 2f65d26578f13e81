"""What is wrong with the series that a piece of evidence carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from initcheck.errors import closest
from initcheck.report.series import SERIES


def problems(series: Mapping[str, Any]) -> list[str]:
    """Say what keeps a series from being drawn, one sentence each; for the tests of whoever fills them.

    >>> problems({"histogram": [[0, 1, 5]], "histogramm": []})
    ["there is no series 'histogramm'; did you mean 'histogram'? Valid: gradient_by_depth, ..."]
    """
    found = []
    for name, value in series.items():
        known = SERIES.get(name)
        if known is None:
            found.append(f"there is no series {name!r}; {closest(name, SERIES)}")
        elif not isinstance(value, (list, tuple)) or not value:
            found.append(f"series {name!r} is {value!r}; it must be {known.shape}.")
        elif known.columns is None and not isinstance(value[0], str):
            found.append(f"series {name!r} begins with {value[0]!r}; it must be {known.shape}.")
        elif known.columns:
            odd = [row for row in value if not isinstance(row, (list, tuple)) or len(row) < known.columns]
            found += [f"series {name!r} has the row {row!r}; it must be {known.shape}." for row in odd[:1]]
    return found
