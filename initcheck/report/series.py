"""The data behind the pictures: which series an ``Evidence`` may carry, their shapes and their meaning."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series that a claim may leave in ``Evidence.series``.

    Attributes:
        shape: the shape of its value, worded.
        meaning: what the numbers are, with their units.
        columns: numbers in a row; 0 for a flat list, None for a list that begins with a name.
        on_request: it is drawn where a claim fails that asks for it, by this name, under ``pictures``.
    """

    shape: str
    meaning: str
    columns: int | None
    on_request: bool = False


_LARGEST = 1e60

SERIES: Mapping[str, Series] = {
    "variance_by_width": Series(
        shape="[[fan, ratio, low, high], ...]",
        meaning="measured second moment over the ideal at each fan, and the band allowed there"
        " (low, high may be null: then it is Evidence.band); several rows may share a fan",
        columns=4,
        on_request=True,
    ),
    "signal_by_depth": Series(
        shape="[[layer, log10 energy], ...]",
        meaning="median over draws of log10 of the energy after that layer over the energy at layer 0;"
        " several rows may share a layer; Evidence.band bounds log10 where its lower edge is negative,"
        " else the ratio itself",
        columns=2,
    ),
    "gradient_by_depth": Series(
        shape="[[layer, log10 energy], ...]",
        meaning="the same for the back-propagated signal, layers counted from the output",
        columns=2,
    ),
    "histogram": Series(
        shape="[[left, right, count], ...]",
        meaning="weights counted in bins, in the unit of the weights; at most 60 bins are needed",
        columns=3,
        on_request=True,
    ),
    "law": Series(
        shape="[name, std]",
        meaning="the law the histogram is held against: normal, uniform, laplace or truncated_normal(c),"
        " centred, with the standard deviation it has after truncation",
        columns=None,
    ),
    "two_histograms": Series(
        shape="[[left, right, share of A, share of B], ...]",
        meaning="the weights of two starts counted in the same bins, in the unit of the weights; each share sums to 1",
        columns=4,
    ),
    "singular_values": Series(
        shape="[value, ...]",
        meaning="singular values of one result, or of several together",
        columns=0,
        on_request=True,
    ),
    "singular_law": Series(
        shape="['marchenko-pastur', rows, columns, std] or ['constant', gain]",
        meaning="what the singular values are held against; ['constant', 1] where absent",
        columns=None,
    ),
    "gradient_ties": Series(
        shape="[[distance, ...], ...], units x units",
        meaning="relative distance between the first-step gradients of two units: 0 tied, 1 unrelated",
        columns=0,
        on_request=True,
    ),
}


def as_number(value: Any) -> float:
    """Read one number of a series; JSON carries infinite and undefined ones as words.

    >>> as_number("inf"), as_number(2)
    (inf, 2.0)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return math.nan
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return math.nan
    # No axis of a plot reaches further, and squares of what it holds must stay finite numbers.
    if abs(read) > _LARGEST:
        return math.copysign(math.inf, read)
    return read if abs(read) >= 1 / _LARGEST or read != read else 0.0


def as_numbers(values: Any) -> list[float]:
    """The finite numbers of a flat series.

    >>> as_numbers([1, "nan", 2.5])
    [1.0, 2.5]
    """
    found = [as_number(v) for v in values] if isinstance(values, (list, tuple)) else []
    return [v for v in found if math.isfinite(v)]


def rows(values: Any, *, at_least: int) -> list[list[float]]:
    """The rows whose first ``at_least`` numbers are finite; later columns may be undefined (nan).

    >>> rows([[1, 2, None], [1, "inf", 3], "x"], at_least=2)
    [[1.0, 2.0, nan]]
    """
    found = []
    for row in values if isinstance(values, (list, tuple)) else []:
        read = [as_number(v) for v in row] if isinstance(row, (list, tuple)) else []
        if len(read) >= at_least and all(math.isfinite(v) for v in read[:at_least]):
            found.append(read)
    return found
