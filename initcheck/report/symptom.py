"""What is wrong in one sentence that a student understands: how large, where, and how large it should be."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from initcheck.grouping import grouped
from initcheck.report.series import rows
from initcheck.report.verdict import Evidence, Result

_ALIKE = 1.3  # ratios within this factor are one number at every width
_TREND = 2.0  # and beyond this one, in one direction, they grow or fall with it
_DEPTH_SERIES = {"signal_by_depth": "signal", "gradient_by_depth": "gradient"}


def symptom(result: Result) -> str:
    """Word a failure: the measured number, where it is so, and what it should be.

    >>> from initcheck.report.verdict import Verdict
    >>> fails = {"says": ".", "initializer": "m:he", "verdict": Verdict.FAILS}
    >>> widths = [[1, 0.331, 0.8, 1.25], [16, 0.335, 0.8, 1.25], [128, 0.333, 0.8, 1.25]]
    >>> symptom(Result(claim="output-variance-near-one", family="scale", topic="scale", **fails, evidence=Evidence(
    ...     measured="0.333", value=0.333, band=(0.8, 1.25), series={"variance_by_width": widths})))
    'output variance is 0.33 at every width; it should be 1 (0.80 to 1.25)'
    >>> symptom(Result(claim="units-differ", family="symmetry", topic="symmetry", **fails, evidence=Evidence(
    ...     measured="unit 1 equals unit 0, in 4 of 4 draws", allowed="at most 1 in 1,000 draws", shape=(2, 64))))
    'unit 1 equals unit 0 at shape (2, 64), in 4 of 4 draws (allowed: at most 1 in 1,000 draws)'
    """
    e = result.evidence
    if result.reason:
        # It fails for what is said of it elsewhere, in a waiver or a baseline, or its process died.
        return result.reason
    if e.measured and " here; " in e.measured:
        # The law of the weights at one shape, and at all others.
        here, _, elsewhere = e.measured.partition(" here; ")
        return f"{here} at shape {e.shape}; {elsewhere} (allowed: {e.allowed})"
    if "variance_by_width" in e.series and e.value is not None and e.band is not None:
        return _of_scale(_noun(result), e)
    if e.value is not None and e.band is not None and e.band[0] < 0 and (noun := _of_depth(e)):
        return f"after {_layers(e)} {_left(noun, e.value)}; it should stay {_powers(e.band)}"
    if e.value is not None and e.band is not None:
        said = e.measured or short(e.value)
        if e.case and e.allowed and f" is {said}, allowed" in e.case:
            # Of a model, and says of which of its blocks.
            return f"{e.case.partition(', allowed')[0]}; it should {_within(e.allowed)}"
        said = f"{_noun(result)} is {said}" if _is_number(said) else said
        return f"{_at_shape(said, e)}; it should be {e.allowed or _band(e.band)}"
    if e.case and e.shape is None:
        # What a model's claim names is a tensor with what is wrong with it.
        return e.case
    said = _at_shape(e.measured or result.says, e)
    # An exception says by itself that there should be none.
    return f"{said} (allowed: {e.allowed})" if e.allowed and not said.startswith("raises ") else said


def _within(allowed: str) -> str:
    """An interval, or a bound, as what a number should do."""
    return f"lie in {allowed}" if allowed.startswith("[") else f"be {allowed}"


def hence(group: Sequence[Result]) -> str:
    """Word what follows in depth from a cause that shows itself elsewhere first; empty where nothing does.

    Args:
        group: the failures of one cause, the root first.
    """
    ends: dict[str, tuple[float, str]] = {}
    for result in group[1:]:
        e = result.evidence
        noun = _of_depth(e)
        if noun and e.value is not None and e.band is not None and e.band[0] < 0:
            ends[noun] = (e.value, _layers(e))
    if not ends:
        return ""
    values = [value for value, _ in ends.values()]
    layers = next(iter(ends.values()))[1]
    same_way = all(v < 0 for v in values) or all(v > 0 for v in values)
    if same_way and (max(values) == min(values) or abs(max(values) - min(values)) < 0.5):
        return f"after {layers} {_left(' and '.join(sorted(ends, reverse=True)), median(values))}"
    return f"after {layers} " + ", ".join(_left(noun, value) for noun, (value, _) in ends.items())


def short(value: float) -> str:
    """Two digits of a number, as one would say it.

    >>> [short(v) for v in (0.33349, 1.0, 0.0003972, 2.64e-10, 12.9, 5120.0, float("inf"))]
    ['0.33', '1', '0.0004', '3e-10', '13', '5,120', 'infinite']
    """
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite" if value > 0 else "minus infinite"
    size = abs(value)
    if size and (size < 1e-4 or size >= 1e6):
        return re.sub(r"e([+-])0*", lambda m: "e" + m[1].replace("+", ""), f"{value:.0e}")
    if size >= 100:
        return f"{value:,.0f}"
    digits = f"{value:.2g}"
    return f"{float(digits):.10f}".rstrip("0").rstrip(".")


def _noun(result: Result) -> str:
    # Without its author's own words a claim is named by its id: output-variance-near-one is the output variance.
    if result.label not in ("", result.claim):
        return result.label
    return result.claim.partition("-near-")[0].replace("-", " ")


def _of_scale(noun: str, e: Evidence) -> str:
    assert e.value is not None
    assert e.band is not None
    wanted = f"it should be 1 ({_band(e.band)})" if e.band[0] <= 1 <= e.band[1] else f"it should be {_band(e.band)}"
    columns = grouped((row[0], row[1]) for row in rows(e.series["variance_by_width"], at_least=2))
    widths = sorted(columns)
    ratios = [median(columns[w]) for w in widths]
    if len(widths) >= 3 and all(not e.band[0] <= r <= e.band[1] for r in ratios):
        low, high = min(ratios), max(ratios)
        if high <= _ALIKE * low or high == low:
            return f"{noun} is {short(e.value)} at every width; {wanted}"
        steps = [b - a for a, b in pairwise(ratios)]
        if low > 0 and high >= _TREND * low and (all(s > 0 for s in steps) or all(s < 0 for s in steps)):
            way = "grows" if steps[0] > 0 else "falls"
            ends = f"{short(ratios[0])} at width {widths[0]:g}, {short(ratios[-1])} at {widths[-1]:g}"
            return f"{noun} is {ends}: it {way} with width; {wanted}"
    return f"{_at_shape(f'{noun} is {short(e.value)}', e)}; {wanted}"


def _of_depth(e: Evidence) -> str:
    return next((noun for series, noun in _DEPTH_SERIES.items() if series in e.series), "")


def _layers(e: Evidence) -> str:
    found = re.search(r"through (\d[\d,]*) layers?", e.allowed or "")
    if found:
        return f"{found[1]} layers"
    last = max((row[0] for name in _DEPTH_SERIES for row in rows(e.series.get(name, []), at_least=2)), default=0)
    return f"{last:g} layers"


def _left(noun: str, exponent: float) -> str:
    """What is left of an energy that changed by a power of ten."""
    if exponent == -math.inf:
        return f"nothing of the {noun} is left"
    if exponent == math.inf or math.isnan(exponent):
        return f"the {noun} is not finite"
    if exponent < 0:
        return f"{short(10.0 ** max(exponent, -300))} of the {noun} is left"
    return f"the {noun} is {short(10.0 ** min(exponent, 300))} times as large"


def _powers(band: tuple[float, float]) -> str:
    return f"within {short(10.0 ** band[0])} to {short(10.0 ** band[1])}"


def _band(band: tuple[float, float]) -> str:
    return f"{band[0]:.2f} to {band[1]:.2f}" if max(map(abs, band)) >= 0.1 else f"{band[0]:g} to {band[1]:g}"


def _at_shape(said: str, e: Evidence) -> str:
    """Put the shape behind what was measured, before how often or why it was so."""
    if e.shape is None or "shape (" in said or f"{e.shape}" in said:
        return said
    head, sign, rest = re.fullmatch(r"(.*?)(?:(, |: )(.*))?", said, re.DOTALL).groups()  # type: ignore[union-attr]
    return f"{head} at shape {e.shape}" + (f"{sign}{rest}" if sign else "")


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d[\d.,]*(e[+-]?\d+)?", text) is not None
