"""The interval strip: where a value lies in or beside its allowed band, and where it lay last time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from initcheck.report.summary import figure
from initcheck.report.verdict import Evidence

_LEFT, _RIGHT = 12.0, 388.0
_NARROWEST = 14.0
# Claims that leave these series judge a logarithm to base 10 and word the power.
_OF_LOGARITHMS = ("signal_by_depth", "gradient_by_depth")


@dataclass(frozen=True, kw_only=True)
class Strip:
    """Positions on a line 400 units long.

    Attributes:
        low, high: the edges of the allowed band.
        value: the measured value; ``beyond`` where it is infinite and stands at the end for that.
        interval: the ends of its confidence interval, where one is known.
        last: the value of the last run, where there was one.
        labels: (position, text anchor, text) of the band's edges.
        measured: the same of the measured value.
        said: everything in one sentence.
    """

    low: float
    high: float
    value: float
    beyond: bool
    interval: tuple[float, float] | None
    last: float | None
    labels: tuple[tuple[float, str, str], ...]
    measured: tuple[float, str, str]
    said: str


def strip(evidence: Evidence, last: Evidence | None = None) -> Strip | None:
    """Place a result on its strip; None where it has no number, or no band to hold it against.

    >>> strip(Evidence(value=0.334, band=(0.8, 1.25))).said
    'Allowed 0.8 to 1.25, measured 0.334.'

    The scale is logarithmic where everything is positive: a half and a double are then equally far from 1.
    """
    band, value = evidence.band, evidence.value
    if band is None or value is None or math.isnan(value):
        return None
    if not (math.isfinite(band[0]) and math.isfinite(band[1]) and band[0] <= band[1]):
        return None
    before = last.value if last is not None and last.value is not None and math.isfinite(last.value) else None
    ends = evidence.interval
    if ends is not None and not (math.isfinite(ends[0]) and math.isfinite(ends[1])):
        ends = None
    known = [v for v in (*band, value, before, *(ends or ())) if v is not None and math.isfinite(v)]
    scale: Callable[[float], float] = math.log if min(known) > 0 else float
    bottom, top = scale(min(known)), scale(max(known))
    span = (top - bottom) or 1.0

    def place(v: float) -> float:
        if math.isinf(v):
            return _LEFT if v < 0 else _RIGHT
        inside = (scale(v) - bottom + 0.08 * span) / (1.16 * span)
        return round(_LEFT + inside * (_RIGHT - _LEFT), 1)

    low, high = place(band[0]), place(band[1])
    if high - low < _NARROWEST:
        middle = (low + high) / 2
        low, high = round(middle - _NARROWEST / 2, 1), round(middle + _NARROWEST / 2, 1)
    word = _power if any(name in evidence.series for name in _OF_LOGARITHMS) else figure
    words = [f"Allowed {word(band[0])} to {word(band[1])}", f"measured {word(value)}"]
    words += [f"interval {word(ends[0])} to {word(ends[1])}"] if ends else []
    words += [f"last run {word(before)}"] if before is not None else []
    return Strip(
        low=low,
        high=high,
        value=place(value),
        beyond=math.isinf(value),
        interval=(place(ends[0]), place(ends[1])) if ends else None,
        last=place(before) if before is not None else None,
        labels=_labels(low, high, band, word),
        measured=_placed(place(value), word(value)),
        said=", ".join(words) + ".",
    )


def _power(logarithm: float) -> str:
    return f"10^{figure(logarithm)}"


def _placed(at: float, text: str) -> tuple[float, str, str]:
    # Text near an end would be cut off by it; a character is about 7 units wide.
    half = 3.6 * len(text)
    return round(min(max(at, half + 2), 398 - half), 1), "middle", text


def _labels(
    low: float, high: float, band: tuple[float, float], word: Callable[[float], str]
) -> tuple[tuple[float, str, str], ...]:
    if high - low >= 90:
        return tuple(_placed(at, word(edge)) for at, edge in ((low, band[0]), (high, band[1])))
    return (_placed((low + high) / 2, f"{word(band[0])} to {word(band[1])}"),)


def room(evidence: Evidence) -> float | None:
    """How far a value is from the nearer edge of its band: 0 on it, 1 in the middle; None without a band.

    >>> room(Evidence(value=1.0, band=(0.8, 1.25))), room(Evidence(value=0.25, band=(-1.0, 1.0)))
    (1.0, 0.75)

    Where an interval is known its nearer end counts. Positive bands are measured on a logarithmic scale. A band that
    begins at 0 has one edge, and 0 is furthest from it: what is bounded there cannot be negative.

    >>> room(Evidence(value=0.01, band=(0.0, 0.04)))
    0.75
    """
    band, value = evidence.band, evidence.value
    if band is None or value is None or not all(math.isfinite(v) for v in (*band, value)) or band[0] >= band[1]:
        return None
    ends = [v for v in evidence.interval or (value,) if math.isfinite(v)] or [value]
    if band[0] == 0:
        return max(0.0, min(1.0, round(1 - max(ends) / band[1], 6)))
    scale: Callable[[float], float] = math.log if min(band[0], *ends, value) > 0 else float
    half = (scale(band[1]) - scale(band[0])) / 2
    nearest = min(min(scale(v) - scale(band[0]), scale(band[1]) - scale(v)) for v in ends)
    return max(0.0, min(1.0, round(nearest / half, 6)))
