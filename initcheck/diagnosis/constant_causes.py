"""From a constant over the promised fan to the factor that was forgotten, or taken twice."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from initcheck.contract.gains import gains_near, known_gains
from initcheck.diagnosis.causes import Rule
from initcheck.diagnosis.evidence.formulas import number, over, root, times
from initcheck.diagnosis.evidence.shortfall import shortfall
from initcheck.diagnosis.observed import Observed

_TOPICS = "scale depth law"
_NEAR = 0.04
# What few people write is said of what is that number, and not of what merely comes near it.
_CLOSE = 0.015
# Beyond these the twenty layers of signal-survives-depth leave [0.1, 10]: without a failed claim nothing
# milder is called a mistake.
_HARMLESS = (0.891, 1.122)
_PAPERS = {"linear": " (LeCun)", "relu": " (He)"}
_COMMON = ("linear", "relu", "tanh")
# Axes that a fan may count beside its own: packed gates, heads, experts, groups.
_PACKED = (3, 4, 8, 16, 32)
# E z^2 of a normal that is cut at two deviations, whose root is the 0.8796 in everybody's code.
_CUT_AT_2 = 0.7737
# Of reciprocals up to this the nearest tells more than chance.
_MOST_LAYERS = 64

_Found = Mapping[str, object]


class Off(NamedTuple):
    """A constant that is not the promised one, over the promised fan, and its relative standard error."""

    constant: float
    error: float

    def near(self, wanted: float, within: float = _NEAR) -> bool:
        """Whether it is this number, to what its error allows."""
        return abs(self.constant / wanted - 1) <= max(within, 4 * self.error)


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


def _of_family(*names: str, ratio: Callable[[float], float]) -> Callable[[Observed], _Found | bool | None]:
    """Whether the weights are of one of these laws, and their constant is the promised one times this of its share."""

    def sees(seen: Observed, off: Off) -> _Found | None:
        share = seen.family.share if seen.family.name not in ("normal", "levels") else _CUT_AT_2
        if seen.family.name not in names or share >= 0.985 or not off.near(seen.power * ratio(share), _CLOSE):
            return None
        return {
            "root": math.sqrt(share),
            "density": share,
            "dropped": 1 - share,
            "times": times(off.constant / seen.power),
        }

    return _where_off(sees)


def _of_levels(seen: Observed, off: Off) -> _Found | None:
    """Levels of equal distance with both ends among them: their variance is (k + 1)/(k - 1) of a uniform's."""
    levels = seen.family.parameter
    if seen.family.name != "levels" or not levels or levels < 3:
        return None
    more = (levels + 1) / (levels - 1)
    ends = next((p for p in (3 * seen.power, seen.power) if off.near(more * p / 3, 0.025)), None)
    if ends is None:
        return None
    return {"ends": root(ends, seen.fan), "more": f"{more:.3g}", "right": root(3 * seen.power / more, seen.fan)}


def _width(seen: Observed, off: Off) -> _Found | None:
    """A uniform whose whole width is what its bound, or its deviation, should be."""
    if not seen.family.is_uniform:
        return None
    widths = (3 * seen.power, seen.power, 6, 3, 2, 1)
    width = next((w for w in widths if off.near(w / 12, _CLOSE)), None)
    return None if width is None else {"width": root(width, seen.fan)}


def _declared_left_out(seen: Observed, off: Off) -> _Found | None:
    gain = seen.contract.gain
    return {"gain": number(gain)} if gain is not None and off.near(1.0) else None


def _other_count(seen: Observed, off: Off) -> _Found | None:
    """One over a count where another count was declared, as of layers."""
    if seen.contract.gain is None or off.constant > 0.3:
        return None
    meant, found = 1 / seen.power, 1 / off.constant
    whole = abs(meant - round(meant)) < 1e-3 and found < _MOST_LAYERS
    if not whole or abs(found - round(found)) > max(0.05, 3 * off.error * found):
        return None
    return {"found": over(1 / round(found), seen.fan), "counted": round(found), "meant": round(meant)}


def _gain_squared(seen: Observed, off: Off) -> _Found | None:
    customary = [seen.power, *(g.power for g in known_gains() if g.activation == seen.activation)]
    squared = next((p for p in customary if abs(p - 1) > 0.05 and off.near(p**2)), None)
    return None if squared is None else {"measured": number(squared)}


def _other_gain(seen: Observed, off: Off) -> _Found | None:
    others = (g for g in gains_near(off.constant, off.error) if g.activation != seen.activation)
    gain = next((g for g in others if g.activation in _COMMON or off.near(g.power, _CLOSE)), None)
    if gain is None or seen.family.name not in ("normal", "uniform", "truncated_normal", "orthogonal"):
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
    return {"ratio": times(off.constant / seen.power), "needed": needed} if seen.proven else None


_STD = "{write}"
CONSTANTS: tuple[Rule[Observed], ...] = (
    *_shortfalls(of_any_gain=False),
    Rule(
        _of_family("truncated_normal", ratio=lambda share: 1 / share),
        "{law}: the correction for the cut, 1/{root:.4f}, is made twice",
        "divide the std {std_wanted} by {root:.4f} once", _TOPICS,
    ),
    Rule(
        _of_family("truncated_normal", ratio=lambda share: share**2),
        "{law}: the std is multiplied by {root:.4f} for the cut, where it should be divided by it",
        "divide the std {std_wanted} by {root:.4f}", _TOPICS,
    ),
    Rule(
        _of_family("normal", ratio=lambda share: 1 / share),
        "{law}: a normal that is not cut is widened by 1/{root:.4f}, which a truncated one needs",
        "std = {std_wanted}, or cut it at two deviations", _TOPICS,
    ),
    Rule(
        _of_family("sparse", ratio=lambda share: 1 / share),
        "{law}, {times} what is due: the weights that are left are divided by the density {density:.2g}, where its"
        " root is due", "divide the std {std_wanted} by sqrt({density:.3g}), the root of the density", _TOPICS,
    ),
    Rule(
        _of_family("sparse", ratio=lambda share: share / (1 - share)),
        "{law}: corrected for the {dropped:.2g} that is dropped, not for the {density:.2g} that is kept",
        "divide the std {std_wanted} by sqrt({density:.3g}), the root of the density", _TOPICS,
    ),
    Rule(
        _where_off(_of_levels),
        "{law}: {family} from -{ends} to {ends}, whose variance is {more} times that of a uniform between them",
        "levels from -{right} to {right}", _TOPICS,
    ),
    Rule(
        _where_off(lambda seen, off: seen.activation == "selu" and off.near(9 / 16)),
        "{law}: PyTorch's gain 3/4 for SELU; its fixed point needs 1", _STD, _TOPICS,
    ),
    Rule(
        _where_off(_gain_squared),
        "std is {measured}/sqrt({wanted}): gain^2 stands where the gain belongs, or the gain is applied twice",
        _STD, _TOPICS,
    ),
    Rule(
        _where_off(lambda seen, off: seen.family.name == "heavy-tail"),
        "{law}: {family}, whose scale is not its standard deviation",
        "divide by the standard deviation of the law that is drawn, or draw {normal}", _TOPICS,
    ),
    Rule(
        _where_off(lambda seen, off: not seen.family.is_uniform and off.near(3 * seen.power)),
        "{law}: the bound of a uniform, {bound_wanted}, stands where the std belongs", _STD, _TOPICS,
    ),
    Rule(
        _where_off(_declared_left_out),
        "{law}: the gain that was declared, {gain}, is left out", _STD, _TOPICS,
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
        _where_off(lambda seen, off: abs(seen.power - 1) > 0.05 and off.near(math.sqrt(seen.power))
                   and {"measured": number(seen.power)}),
        "variance is sqrt({measured})/{wanted}: the gain stands where gain^2 belongs", _STD, _TOPICS,
    ),
    Rule(
        _where_off(_other_count),
        "variance is {found}: {counted} stands where {meant} was declared (of layers, perhaps)", _STD, _TOPICS,
    ),
    Rule(
        _where_off(_width),
        "{law}: a uniform whose whole width, and not its bound, is {width}",
        "+-{bound_wanted} has unit output variance", _TOPICS,
    ),
    Rule(
        _where_off(_packed),
        "variance is {variance_wanted} divided by {k}: perhaps the fan counts an extra axis of {k} (packed gates,"
        " heads, experts, groups)", "leave the axis out of the fan", _TOPICS,
    ),
    Rule(_where_off(_unexplained), "{law}, {ratio} what {needed}", _STD, _TOPICS),
)  # fmt: skip
"""Why a variance over the promised fan has another constant; the particular first."""
