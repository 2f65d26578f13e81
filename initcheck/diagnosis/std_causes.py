"""From a law beside a promised std to what was written in its place: a bound, a variance, a division by the depth."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from initcheck.diagnosis.causes import Rule
from initcheck.diagnosis.evidence.formulas import number
from initcheck.diagnosis.evidence.shortfall import shortfall
from initcheck.diagnosis.observed import Observed

_TOPICS = "scale depth law"
_NEAR = 0.04
_CLOSE = 0.02
# Twice the layers of usual networks: among these the root of an even number tells more than chance.
_DEPTHS = range(8, 50, 4)

_Found = Mapping[str, object]


def _fixed_std(seen: Observed) -> _Found | None:
    """What was found where a std was promised and the law is another."""
    law, std = seen.sure_law, seen.contract.std
    if law is None or std is None:
        return None
    off = abs(math.sqrt(law.constant) / std - 1) > max(_NEAR, 4 * law.standard_error)
    return {"promised": std} if law.denominator.name != "1" or off else None


def _at_every_width(
    sees: Callable[[Observed, float, float, float], Mapping[str, object] | None],
) -> Callable[[Observed], _Found | None]:
    """Rules of a std that is one number: called with what was seen, the std measured, promised, and what is near."""

    def where(seen: Observed) -> _Found | None:
        found, law = _fixed_std(seen), seen.sure_law
        if found is None or law is None or law.denominator.name != "1":
            return None
        std = seen.contract.std or math.nan
        more = sees(seen, math.sqrt(law.constant), std, max(_CLOSE, 4 * law.standard_error))
        return None if more is None else {**found, **more}

    return where


def _short(kind: str) -> Callable[[Observed, float, float, float], _Found | None]:
    def sees(seen: Observed, std: float, promised: float, near: float) -> _Found | None:
        short = shortfall(std**2, near / 4, seen.family, wanted=promised**2)
        if short is None or short.kind != kind:
            return None
        root = math.sqrt(short.factor)
        return {"root": root, "bound": number(math.sqrt(3) * promised), "scale": number(promised / root)}

    return sees


def _by_a_root(seen: Observed, std: float, promised: float, near: float) -> _Found | None:
    """The promised std over, or times, the root of a count of layers."""
    for ratio, how in ((promised / std, "over"), (std / promised, "times")):
        count = next((k for k in _DEPTHS if abs(ratio / math.sqrt(k) - 1) < min(near, 0.25 / k)), None)
        if count is not None:
            what = "is divided by that once too often" if how == "over" else "is not divided by that"
            return {"how": how, "count": count, "what": what}
    return None


_SAYS = "the std is {std} at every width"
_CONTRACT = "the contract says {promised:.4g}"
STD: tuple[Rule[Observed], ...] = (
    Rule(
        _at_every_width(_short("uniform")),
        f"{_SAYS}: a uniform on +-{{promised:.4g}}, whose std is its bound/sqrt(3); {_CONTRACT}",
        "a uniform on +-{bound}", _TOPICS,
    ),
    Rule(
        _at_every_width(_short("truncated")),
        f"{_SAYS}: {{family}}, without correction; {_CONTRACT}", "divide the std {promised:.4g} by {root:.4f}", _TOPICS,
    ),
    Rule(
        _at_every_width(_short("sparse")),
        f"{_SAYS}: {{family}}, not corrected for; {_CONTRACT}",
        "divide the std {promised:.4g} by {root:.4f}, the root of the density", _TOPICS,
    ),
    Rule(
        _at_every_width(_short("scale")),
        f"{_SAYS}: {{family}} of scale {{promised:.4g}}; {_CONTRACT}", "scale = {scale}", _TOPICS,
    ),
    Rule(
        _at_every_width(lambda seen, std, promised, near: {} if abs(std / promised**2 - 1) < near else None),
        f"{_SAYS}: the square of the {{promised:.4g}} that the contract says", "std = {promised:.4g}", _TOPICS,
    ),
    Rule(
        _at_every_width(lambda seen, std, promised, near: {} if abs(std / promised**0.5 - 1) < near else None),
        f"{_SAYS}: {{promised:.4g}} is taken for a variance, and its root is drawn", "std = {promised:.4g}", _TOPICS,
    ),
    Rule(
        _at_every_width(_by_a_root),
        f"{_SAYS}: the {{promised:.4g}} of the contract {{how}} sqrt({{count}}); perhaps {{count}} is twice the layers,"
        " and it {what}", "std = {promised:.4g}", _TOPICS,
    ),
    Rule(
        _at_every_width(lambda seen, std, promised, near: {}),
        f"{_SAYS}; {_CONTRACT}", "std = {promised:.4g}", _TOPICS,
    ),
    Rule(_fixed_std, "{law}; the contract says std {promised:.4g} at every width", "std = {promised:.4g}", _TOPICS),
)  # fmt: skip
"""Why the std is another than the one promised for every width; the particular first."""
