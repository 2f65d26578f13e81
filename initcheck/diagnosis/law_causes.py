"""From a measured law to the likely mistake in the formula: which fan, which root, which factor."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from initcheck.contract.gains import gains_near, known_gains
from initcheck.diagnosis.causes import Cause, Rule
from initcheck.diagnosis.evidence.formulas import number, over, root
from initcheck.diagnosis.evidence.shortfall import shortfall
from initcheck.diagnosis.law_exceptions import exceptions_cause
from initcheck.diagnosis.observed import Observed

_TOPICS = "scale depth law"
_NEAR = 0.04
# Beyond these the twenty layers of signal-survives-depth leave [0.1, 10]: without a failed claim nothing
# milder is called a mistake.
_HARMLESS = (0.891, 1.122)
_PAPERS = {"linear": " (LeCun)", "relu": " (He)"}
# Axes that a fan may count beside its own: packed gates, heads, experts, groups.
_PACKED = (3, 4, 8, 16, 32)

_Found = Mapping[str, object]


class Off(NamedTuple):
    """A constant that is not the promised one, over the promised fan, and its relative standard error."""

    constant: float
    error: float

    def near(self, wanted: float) -> bool:
        """Whether it is this number, to what its error allows."""
        return abs(self.constant / wanted - 1) <= max(_NEAR, 4 * self.error)


def _off(seen: Observed) -> Off | None:
    """The law's constant, where it is off by more than chance and, unless proven, by more than does harm."""
    law = seen.sure_law
    if law is None or seen.contract.std is not None or law.denominator.fan != seen.fan:
        return None
    off, ratio = Off(law.constant, law.standard_error), law.constant / seen.power
    harmless = not seen.proven and _HARMLESS[0] <= ratio <= _HARMLESS[1]
    return None if off.near(seen.power) or harmless else off


def _where_off(sees: Callable[[Observed, Off], _Found | bool | None]) -> Callable[[Observed], _Found | bool | None]:
    def where(seen: Observed) -> _Found | bool | None:
        off = _off(seen)
        return None if off is None else sees(seen, off)

    return where


def _shortfalls(*, of_any_gain: bool) -> tuple[Rule[Observed], ...]:
    """What was not corrected for: a bound, a scale that is no deviation, a truncation, a clipping, a sparsity."""

    def kind(name: str) -> Callable[[Observed], _Found | bool | None]:
        def sees(seen: Observed, off: Off) -> _Found | None:
            short = shortfall(off.constant, off.error, seen.family, wanted=None if of_any_gain else seen.power)
            if short is None or short.kind != name:
                return None
            meant = short.gain.power
            double, divisor = (2, "(fan_in + fan_out)") if seen.fan == "fan_avg" else (1, seen.wanted)
            return {
                "variance": f"variance is {double * short.factor * meant:.3g}/{divisor}",
                "meant": root(meant, seen.fan),
                "factor": short.factor,
                "root": math.sqrt(short.factor),
                "scale": root(seen.power / short.factor, seen.fan),
            }

        return _where_off(sees)

    law, divide = "{variance}: {family}", "divide the std {std_wanted} by "
    bound = "+-{bound_wanted} has unit output variance"
    density = divide + "sqrt({factor:.3g}), the root of the density"
    return (
        Rule(kind("uniform"), "{variance}: a uniform on +-{meant}", bound, _TOPICS),
        Rule(
            kind("scale"), law + " of scale {meant}, whose variance is {factor:.3g} scale^2", "scale = {scale}", _TOPICS
        ),
        Rule(kind("truncated"), law + ", without correction", divide + "{root:.4f}", _TOPICS),
        Rule(kind("clipped"), law + ", not corrected for", divide + "{root:.4f}, or do not clip", _TOPICS),
        Rule(kind("sparse"), law + ", not corrected for", density, _TOPICS),
    )


def _gain_squared(seen: Observed, off: Off) -> _Found | None:
    customary = [seen.power, *(g.power for g in known_gains() if g.activation == seen.activation)]
    squared = next((p for p in customary if p > 1.05 and off.near(p**2)), None)
    return None if squared is None else {"measured": number(squared)}


def _other_gain(seen: Observed, off: Off) -> _Found | None:
    others = (g for g in gains_near(off.constant, off.error) if g.activation != seen.activation)
    gain = next(others, None)
    if gain is None:
        return None
    return {"measured": over(gain.power, seen.fan), "gain": gain.text, "paper": _PAPERS.get(gain.activation, "")}


def _half_of_fan_avg(seen: Observed, off: Off) -> _Found | None:
    if seen.fan != "fan_avg" or not off.near(seen.power / 2):
        return None
    plain = abs(off.constant - 0.5) <= max(_NEAR, 4 * off.error)
    return {"measured": "1/(fan_in + fan_out)" if plain else f"{number(2 * off.constant)}/(2*(fan_in + fan_out))"}


def _packed(seen: Observed, off: Off) -> _Found | None:
    k = next((k for k in _PACKED if off.near(seen.power / k)), None)
    return None if k is None else {"k": k}


def _unexplained(seen: Observed, off: Off) -> _Found | None:
    needed = "was declared" if seen.contract.gain is not None else f"{seen.activation} needs"
    return {"ratio": number(off.constant / seen.power), "needed": needed} if seen.proven else None


_STD = "std = {std_wanted}"
_CONSTANTS: tuple[Rule[Observed], ...] = (
    *_shortfalls(of_any_gain=False),
    Rule(
        _where_off(lambda seen, off: seen.activation == "selu" and off.near(9 / 16)),
        "{law}: PyTorch's gain 3/4 for SELU; its fixed point needs 1", _STD, _TOPICS,
    ),
    Rule(
        _where_off(_gain_squared),
        "std is {measured}/sqrt({wanted}): gain^2 stands where the gain belongs", _STD, _TOPICS,
    ),
    Rule(
        _where_off(lambda seen, off: seen.family.name != "uniform" and off.near(3 * seen.power)),
        "{law}: the bound of a uniform, {bound_wanted}, stands where the std belongs", _STD, _TOPICS,
    ),
    Rule(
        _where_off(_other_gain),
        "variance is {measured}: the gain of {gain}{paper}; {activation} needs {variance_wanted}", _STD, _TOPICS,
    ),
    *_shortfalls(of_any_gain=True),
    Rule(
        _where_off(_half_of_fan_avg),
        "variance is {measured}: the factor 2 of the mean is missing", "variance {variance_wanted}", _TOPICS,
    ),
    Rule(
        _where_off(lambda seen, off: seen.power > 1.05 and off.near(math.sqrt(seen.power))
                   and {"measured": number(seen.power)}),
        "variance is sqrt({measured})/{wanted}: the gain stands where gain^2 belongs", _STD, _TOPICS,
    ),
    Rule(
        _where_off(_packed),
        "variance is {variance_wanted} divided by {k}: perhaps the fan counts an extra axis of {k} (packed gates,"
        " heads, experts, groups)", "leave the axis out of the fan", _TOPICS,
    ),
    Rule(_where_off(_unexplained), "{law}, {ratio} times what {needed}", _STD, _TOPICS),
)  # fmt: skip


def _fixed_std(seen: Observed) -> _Found | None:
    """_Found where a std was promised and the law is another."""
    law, std = seen.sure_law, seen.contract.std
    if law is None or std is None:
        return None
    off = Off(math.sqrt(law.constant), law.standard_error)
    return {"promised": std} if law.denominator.name != "1" or not off.near(std) else None


def _at_every_width(seen: Observed) -> _Found | None:
    return _fixed_std(seen) if seen.sure_law is not None and seen.sure_law.denominator.name == "1" else None


_FIXED = (
    Rule(
        _at_every_width,
        "the std is {std} at every width; the contract says {promised:g}",
        "std = {promised:g}",
        _TOPICS,
    ),
    Rule(_fixed_std, "{law}; the contract says std {promised:g} at every width", "std = {promised:g}", _TOPICS),
)


def _wrong_fan(seen: Observed) -> Cause | None:
    """What the denominator says of itself, where it is not the promised fan."""
    law = seen.sure_law
    if law is None or seen.contract.std is not None or law.denominator.fan == seen.fan:
        return None
    mistake = law.denominator.mistake(seen.fan, seen.family.name)
    if mistake is None:
        return None
    return Rule[Observed](lambda _: True, mistake.sentence, mistake.fix, f"{_TOPICS} {mistake.topics}")(seen)


def _exceptions(seen: Observed) -> Cause | None:
    """What the layers have in common that the law does not fit."""
    law = seen.best_law
    return None if law is None else exceptions_cause(law, seen.samples, seen.fan)


LAW: tuple[Callable[[Observed], Cause | None], ...] = (*_FIXED, _wrong_fan, *_CONSTANTS, _exceptions)
"""Why the variance is another than was promised; where it is not, why some layers have another."""


def _scale_per_call(seen: Observed) -> bool:
    """Whether the energies of calls differ by far more than their weights explain."""
    if seen.family.name in ("no-variance", "outliers", "heavy-tail"):
        return False
    excess = []
    for arrays in seen.probe.draws.values():
        if len(arrays) >= 4 and arrays[0].size >= 100:
            squares = [a * a for a in arrays]
            means = np.array([float(s.mean()) for s in squares])
            within = float(np.mean([np.std(s) for s in squares])) / math.sqrt(arrays[0].size)
            if means.mean() > 0:
                excess.append(float(np.std(means)) / max(within, 0.01 * float(means.mean())))
    return len(excess) >= 3 and float(np.median(excess)) >= 4


SCALE_PER_CALL = (
    Rule(
        _scale_per_call,
        "every call has a scale of its own: it is drawn, or taken from state, and shared by all weights",
        "let the scale depend on the shape alone",
        _TOPICS,
    ),
)
