"""From a measured law to the likely mistake in the formula: which fan, which root, which factor."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from initcheck.contract.contract import Contract
from initcheck.contract.gains import gains_near, known_gains, required_power
from initcheck.contract.layer import Layer
from initcheck.diagnosis.causes import Cause
from initcheck.diagnosis.evidence.formulas import number, over, root
from initcheck.diagnosis.evidence.marginal_law import Family
from initcheck.diagnosis.evidence.shortfall import Shortfall, shortfall
from initcheck.diagnosis.evidence.variance_law import Law, LawSample

__all__ = ["exceptions_cause", "law_cause"]

_TOPICS = frozenset({"scale", "depth", "law"})
_NEAR = 0.04
_FEW = 64
# Weights from which on a result that is lost may have been counted in too few bits.
_LARGE = 16_384
# Beyond these the twenty layers of signal-survives-depth leave [0.1, 10]: without a failed claim nothing
# milder is called a mistake.
_HARMLESS = (0.891, 1.122)
_SAME = {"max(units, fan_in)": "fan_max"}


def law_cause(law: Law, family: Family, contract: Contract, *, proven: bool) -> Cause | None:
    """Explain a law of the variance that is not the promised one; None where it is, or where nothing fits.

    Args:
        law: the measured law.
        family: the marginal law of the weights.
        contract: what was promised.
        proven: a claim about the scale was shown to fail; else small deviations are not called mistakes.
    """
    power, fan = required_power(contract), contract.fan or "fan_in"
    measured = _SAME.get(law.denominator.name, law.denominator.name)
    if contract.std is not None:
        return _fixed_std(law, contract.std)
    if measured != fan:
        return _wrong_fan(law, measured, family, fan, power, contract)
    ratio = law.constant / power
    if abs(ratio - 1) <= max(_NEAR, 4 * law.standard_error):
        return None
    if not proven and _HARMLESS[0] <= ratio <= _HARMLESS[1]:
        return None
    found = _wrong_constant(law.constant, law.standard_error, family, fan, power, contract)
    if found is not None or not proven:
        return found
    needed = "was declared" if contract.gain is not None else f"{contract.activation or 'linear'} needs"
    return _cause(
        f"variance is {over(law.constant, fan)}, {number(ratio)} times what {needed}", f"std = {root(power, fan)}"
    )


def _cause(sentence: str, fix: str) -> Cause:
    return Cause(sentence, fix, _TOPICS)


def _fixed_std(law: Law, std: float) -> Cause | None:
    if law.denominator.name == "1":
        measured = math.sqrt(law.constant)
        if abs(measured / std - 1) <= max(_NEAR, 4 * law.standard_error):
            return None
        return _cause(f"the std is {number(measured)} at every width; the contract says {std:g}", f"std = {std:g}")
    return _cause(f"variance is {_formula(law)}; the contract says std {std:g} at every width", f"std = {std:g}")


def _wrong_constant(c: float, error: float, family: Family, fan: str, power: float, contract: Contract) -> Cause | None:
    short = shortfall(c, error, family, wanted=power)
    if short is not None:
        return _shortfall(short, family, fan, power, power)
    activation = contract.activation or "linear"
    if activation == "selu" and abs(c * 16 / 9 - 1) <= max(_NEAR, 4 * error):
        return _cause(
            f"variance is {over(c, fan)}: PyTorch's gain 3/4 for SELU; its fixed point needs 1",
            f"std = {root(power, fan)}",
        )
    near = max(_NEAR, 4 * error)
    customary = [power, *(g.power for g in known_gains() if g.activation == activation)]
    squared = next((p for p in customary if p > 1.05 and abs(c / p**2 - 1) <= near), None)
    if squared is not None:
        return _cause(
            f"std is {number(squared)}/sqrt({_fan_text(fan)}): gain^2 stands where the gain belongs",
            f"std = {root(power, fan)}",
        )
    if family.name != "uniform" and abs(c / (3 * power) - 1) <= near:
        return _cause(
            f"variance is {over(c, fan)}: the bound of a uniform, {root(3 * power, fan)}, stands where the std belongs",
            f"std = {root(power, fan)}",
        )
    for gain in gains_near(c, error):
        if gain.activation != activation:
            paper = {"linear": " (LeCun)", "relu": " (He)"}.get(gain.activation, "")
            return _cause(
                f"variance is {over(gain.power, fan)}: the gain of {gain.text}{paper}; "
                f"{activation} needs {over(power, fan)}",
                f"std = {root(power, fan)}",
            )
    short = shortfall(c, error, family)
    if short is not None:
        return _shortfall(short, family, fan, short.gain.power, power)
    if fan == "fan_avg" and abs(2 * c / power - 1) <= near:
        return _cause(
            f"variance is {number(2 * c)}/(2*(fan_in + fan_out)): the factor 2 of the mean is missing"
            if abs(c - 0.5) > near
            else "variance is 1/(fan_in + fan_out): the factor 2 of the mean is missing",
            f"variance {over(power, fan)}",
        )
    if power > 1.05 and abs(c / math.sqrt(power) - 1) <= near:
        return _cause(
            f"variance is sqrt({number(power)})/{_fan_text(fan)}: the gain stands where gain^2 belongs",
            f"std = {root(power, fan)}",
        )
    for k in (3, 4, 8, 16, 32):
        if abs(k * c / power - 1) <= near:
            return _cause(
                f"variance is {over(power, fan)} divided by {k}: perhaps the fan counts an extra axis of {k} "
                "(packed gates, heads, experts, groups)",
                "leave the axis out of the fan",
            )
    return None


def _shortfall(short: Shortfall, family: Family, fan: str, meant: float, power: float) -> Cause:
    c = short.factor * meant
    variance = (
        f"variance is {c:.3g}/{_fan_text(fan)}" if fan != "fan_avg" else f"variance is {2 * c:.3g}/(fan_in + fan_out)"
    )
    if short.kind == "uniform":
        return _cause(
            f"{variance}: a uniform on +-{root(meant, fan)}",
            f"+-{root(3 * power, fan)} has unit output variance",
        )
    if short.kind == "scale":
        return _cause(
            f"{variance}: {family} of scale {root(meant, fan)}, whose variance is {short.factor:.3g} scale^2",
            f"scale = {root(power / short.factor, fan)}",
        )
    if short.kind == "truncated":
        return _cause(
            f"{variance}: {family}, without correction",
            f"divide the std {root(power, fan)} by {math.sqrt(short.factor):.4f}",
        )
    if short.kind == "clipped":
        return _cause(
            f"{variance}: {family}, not corrected for",
            f"divide the std {root(power, fan)} by {math.sqrt(short.factor):.4f}, or do not clip",
        )
    return _cause(
        f"{variance}: {family}, not corrected for",
        f"divide the std {root(power, fan)} by sqrt({short.factor:.3g}), the root of the density",
    )


def _wrong_fan(law: Law, measured: str, family: Family, fan: str, power: float, contract: Contract) -> Cause | None:
    wanted = _fan_text(fan)
    std = f"std = {root(power, fan)}"
    c = law.constant
    if measured == "1":
        if family.name == "uniform":
            return _cause(
                f"a uniform on +-{number(math.sqrt(3 * c))} at every width: the fan is left out",
                f"+-{root(3 * power, fan)} has unit output variance",
            )
        return _cause(f"the std is {number(math.sqrt(c))} at every width", f"divide by sqrt({wanted}): {std}")
    if measured.endswith("^2"):
        base = measured[:-2]
        bound = math.sqrt(3 * c)
        if family.name == "uniform":
            return _cause(f"a uniform on +-{number(bound)}/{base}: the square root is missing",
                          f"+-{root(3 * power, fan)} has unit output variance")  # fmt: skip
        return _cause(f"variance is ({number(math.sqrt(c))}/{base})^2: the square root is missing", std)
    if measured in ("sqrt(fan_in)", "sqrt(fan_out)", "sqrt(fan_avg)"):
        return _cause(f"variance is {_formula(law)}: the square root is taken twice", f"one square root: {std}")
    if measured in ("1/fan_in", "1/fan_out"):
        return _cause(f"variance grows with {measured[2:]}: it is multiplied where it should be divided", std)
    if measured in ("fan_in - 1", "fan_out - 1"):
        sentence = f"variance is {_formula(law)}: infinite at {measured[:-4]} 1, 1.5 times too large at 3"
        return Cause(sentence, f"the fan itself: {std}", _TOPICS | {"promises"})
    if measured in ("fan_in + 1", "fan_out + 1"):
        return _cause(
            f"variance is {_formula(law)}: half of what is needed at {measured[:-4]} 1",
            f"the fan itself: {std}",
        )
    if measured.startswith("2*("):
        return _cause(
            "the fan is halved by integer division: odd fans lose one, and 1 becomes 0",
            f"use /, not //: {std}",
        )
    if measured == "sqrt(fan_in) rounded down, squared":
        return _cause("the square root of fan_in is rounded down to a whole number", f"keep its fraction: {std}")
    if "power of 2" in measured:
        return _cause(f"variance is {_formula(law)}: the fan is a power of 2", f"the fan itself: {std}")
    swapped = {"fan_in": "fan_out", "fan_out": "fan_in"}.get(fan)
    if measured == swapped:
        return _cause(
            f"variance is {_formula(law)}: the fans are swapped; {fan} was promised",
            f"divide by the other axis: {std}",
        )
    simple = {
        "fan_in*fan_out": "scaled by the number of weights",
        "weights": "scaled by the number of weights",
        "sqrt(weights)": "scaled by the root of the number of weights",
        "sqrt(fan_in*fan_out)": "scaled by the geometric mean of the fans",
        "fan_min": "scaled by the smaller side",
        "fan_avg": f"scaled by the mean of both fans, as Glorot; {fan} was promised",
        "fan_in": f"scaled by fan_in alone; {wanted} was promised",
        "fan_out": f"scaled by fan_out alone; {wanted} was promised",
        "channels": "the kernel's positions are not counted in the fan",
        "units": "the fan counts output channels alone",
        "receptive": "the fan counts the kernel's positions alone, not the channels",
        "fan_in rounded up to 8": "the fan is rounded up to a multiple of 8, as a padded buffer is",
        "channels*first side squared": "the kernel is taken for a square of its first side",
        "channels*last side squared": "the kernel is taken for a square of its last side",
        "fan_in*(kernel - 1)": "the kernel's sides are counted one too small",
        "(channels + units)/2": "the kernel's positions are not counted in the fans",
    }.get(measured)
    if measured == "fan_max":
        simple = "scaled by the larger side"
        if family.name == "orthogonal":
            simple = "an orthogonal matrix is scaled by the larger side"
    if measured in ("units*receptive", "(1 + units)*receptive/2"):
        return _cause(
            f"variance is {_formula(law)}: the fan counts all channels, and a depthwise unit sees one",
            f"fan_in is the kernel's positions, kh*kw: {std}",
        )
    if "read channels" in measured:
        order = "(in, out)-last" if measured.endswith("last") else "(out, in)-first"
        simple = f"the fan is read from another layout's axes, {order}"
        return _cause(simple, f"pass the layout: the fan of {contract.layout or 'this layout'} is {wanted}")
    if measured.endswith("axis") or measured.endswith("but one"):
        simple = f"the fan is the {measured} alone"
    if simple is None:
        return None
    return _cause(f"variance is {_formula(law)}: {simple}", f"divide by {wanted}: {std}")


def _formula(law: Law) -> str:
    name = law.denominator.name
    if name in ("fan_avg", "fan_max"):
        return over(law.constant, name)
    return f"{number(law.constant)}/{name if re.fullmatch(r'[a-z_]+', name) else f'({name})'}"


def _fan_text(fan: str) -> str:
    return {"fan_avg": "((fan_in + fan_out)/2)", "fan_max": "max(fan_in, fan_out)"}.get(fan, fan)


def exceptions_cause(law: Law, samples: Sequence[LawSample], fan: str) -> Cause | None:
    """Explain the layers that a law does not fit, by what they have in common.

    Args:
        law: the law that the other layers follow.
        samples: the second moments it was fitted to.
        fan: the promised fan.
    """
    off = [s for s in samples if s.layer in law.exceptions]
    if not off:
        return None
    ratio = {s.layer: s.mean_square / law.variance(s.layer) for s in off}

    def width(layer: Layer) -> int:
        return {"fan_in": layer.fan_in, "fan_out": layer.fan_out}.get(fan, max(layer.fan_in, layer.fan_out))

    def only(condition: dict[Layer, bool], *, but_few: bool = False) -> bool:
        missed = sum(condition[s.layer] != (s.layer in ratio) for s in samples)
        return missed <= (len(ratio) if but_few else 0)

    every = [s.layer for s in samples]
    topics = _TOPICS | {"promises"}
    first = min(width(a) for a in ratio)
    below = max((width(a) for a in every if width(a) < first), default=0)
    bits = next((b for b in (7, 8) if (below <= 128 if b == 7 else below < 256) and first >= 2**b), None)
    if bits and only({a: width(a) >= first for a in every}) and not all(r == 0 for r in ratio.values()):
        held = "8 bits, where 256 is 0" if bits == 8 else "a signed byte, where 128 is -128"
        sentence = f"from {fan} {2**bits} on the variance is off, as if the fan were held in {held}"
        return Cause(sentence, "compute the fan as an int", topics)
    nothing = all(r == 0 for r in ratio.values())
    one = {a: width(a) == 1 for a in every}
    if only(one):
        how = "every weight is zero" if nothing else "the variance is off"
        how = "it raises or is not finite" if not all(map(math.isfinite, ratio.values())) else how
        return Cause(f"{how} at {fan} 1: a division by zero, or a logarithm of 1", f"use {fan} itself", topics)
    singles = [r for a, r in ratio.items() if a.weights == 1]
    few = max(a.weights for a in ratio)
    # What is normalised by its own draw is off at the next few weights too, where that draw is far from its mean.
    if singles and few <= _FEW and not any(0 < r < math.inf for r in singles):
        how = "zero" if not any(singles) else "not finite"
        return Cause(
            f"a single weight is {how}: it is centred or normalised by its own draw",
            "scale by the fan, not by the weights drawn",
            topics,
        )
    halved = {a: (a.fan_in + a.fan_out) / 2 / ((a.fan_in + a.fan_out) // 2) for a in ratio}
    if fan == "fan_avg" and all(h > 1 and abs(ratio[a] / h - 1) < 0.1 for a, h in halved.items()):
        return Cause("the mean of both fans is rounded down by an integer division", "use /, not //", topics)
    off_by = sorted(ratio.values())
    if only({a: a.fan_in == a.fan_out and a.weights > 1 for a in every}) and 0 < off_by[-1] < 1.5 * off_by[0]:
        largest = max(ratio, key=lambda a: a.weights)
        return Cause(
            f"the variance is {number(ratio[largest], 0.03)} of what it is elsewhere at square shapes alone",
            "treat squares as other shapes: (W + W^T)/2 halves the variance, an identity adds to it",
            topics,
        )
    if len(ratio) > 1 and few <= _FEW and only({a: a.weights <= few for a in every}):
        return Cause(
            f"the variance is off at tensors of {few} weights or fewer: it hangs on how many are drawn at once",
            "scale by the fan, whatever the number of weights",
            topics,
        )
    broken = "it raises or is not finite" if not all(map(math.isfinite, ratio.values())) else "it is off"
    if all(a.weights % 2 == 1 for a in ratio) and only({a: a.weights % 2 == 1 for a in every}, but_few=True):
        return Cause(
            f"{broken} where the number of weights is odd: they are made in pairs",
            "draw one pair more and cut the result",
            topics,
        )
    # A layer of few weights may be off by a heavy tail's doing: their own standard error does not show it.
    sure = any(s.n >= 1000 or not math.isfinite(s.mean_square) for s in off)
    if sure and len(ratio) > 1 and all(width(a) % 2 == 1 for a in ratio):
        return Cause(f"{broken} at odd {fan}: an integer division", "use /, not //", topics)
    smallest = min(a.weights for a in ratio)
    lost = not any(map(math.isfinite, ratio.values()))
    if (nothing or (lost and smallest >= _LARGE)) and only({a: a.weights >= smallest for a in every}):
        return Cause(
            f"{'every weight is zero' if nothing else 'it raises or is not finite'} from {smallest:,} weights on",
            "count the weights as an int: held in 16 bits that number overflows"
            if smallest >= _LARGE
            else "fill the whole tensor",
            topics | {"symmetry"},
        )
    return None
