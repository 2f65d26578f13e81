"""Why the scale of a layer that is run is off: how what comes out goes with its widths."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from initcheck.contract.layer import Layer
from initcheck.contract.second_moments import Statistic
from initcheck.diagnosis.causes import Cause
from initcheck.diagnosis.evidence.formulas import number
from initcheck.diagnosis.evidence.variance_law import LawSample, exponents
from initcheck.draws.streams import SCREEN
from initcheck.layers.bench.response import FORGETS
from initcheck.layers.draws import LayerDraws
from initcheck.layers.part import Whole

_CALLS = 48
# Exponents are halves; what is measured on five sizes is one within this, and every size lies this near to the law.
_HALF, _NEAR = 0.1, 0.2
# A constant this near to 1 is none: the band of a claim begins farther out.
_ONE = 0.1
_ZERO = "the {what} is zero in every build: a weight that every path goes through starts at zero"
_DRAWN = "draw that weight; or, where it is meant, as in LoRA or a last layer of zeros, waive the claim and say why"


def cause_of_a_run(
    runs: Iterable[tuple[Whole, Statistic]], draws: LayerDraws, dtype: str, what: str, *, parametrised: bool = False
) -> Cause | None:
    """The law k * inputs^a * outputs^b that the measured ratio follows, and the factor that takes it away.

    Args:
        runs: the layer at every size it is run at, with what is measured there over its ideal value.
        draws: the layer's.
        dtype: of the builds.
        what: is measured: the output or the gradient.
        parametrised: its weights are made by parametrizations of PyTorch.

    Returns:
        None where no such law holds at every size, or it is 1.
    """
    samples, forgets, zero = [], False, 0
    for whole, statistic in runs:
        values = statistic.per_call(draws.records(whole, dtype, SCREEN, _CALLS))
        mean = float(np.mean(values))
        if not values.any():
            zero += 1
            continue
        if not 0 < mean < math.inf:
            return None
        error = float(np.std(values, ddof=1)) / mean / math.sqrt(len(values))
        forgets |= whole.slope in FORGETS
        samples.append(LawSample(Layer((whole.size.outputs, whole.size.inputs)), mean, error, len(values)))
    if zero and not samples:
        return Cause(_ZERO.format(what=what), _DRAWN)
    if zero or len(samples) < 3:
        return None
    fitted = exponents(samples)
    a, b = (round(2 * power) / 2 for power in (fitted.fan_in, fitted.fan_out))
    logs = [math.log(s.mean_square / s.layer.fan_in**a / s.layer.fan_out**b) for s in samples]
    weights = [1 / max(s.relative_se, 0.01) ** 2 for s in samples]
    k = math.exp(float(np.average(logs, weights=weights)))
    off = [abs(log - math.log(k)) > max(_NEAR, 4 * s.relative_se) for log, s in zip(logs, samples, strict=True)]
    if any(off) or max(abs(a - fitted.fan_in), abs(b - fitted.fan_out)) > _HALF or (a == b == 0 and abs(k - 1) < _ONE):
        return None
    law = _formula(k, a, b)
    widths = " and ".join(name for name, power in (("inputs", a), ("outputs", b)) if power)
    how = f": it goes with the {widths}, and is due to be the same at every width" if widths else ", at every width"
    sentence = f"the {what} of all its weights together has {law} times the variance that is due{how}"
    if forgets:
        # It is fed what its own weights make, so that the ratio goes with no power of them.
        what_to = f"multiply the weights by {_formula(1, -a / 2, -b / 2)}, then" if widths else "scale the weights"
        return Cause(sentence, f"{what_to} by a constant that is found by trial: its inputs shrink with its weights")
    factor = _formula(k**-0.5, -a / 2, -b / 2)
    fix = f"multiply the weights by {factor} in all: one factor of a product by it, or every term of a sum"
    if parametrised and not widths and abs(3 * k - 1) < _ONE:
        sentence += ": PyTorch's default, and what is written in place into a parametrised weight is lost"
        fix = "initialize the weight before it is parametrised, or assign it: layer.weight = ..."
    return Cause(sentence, fix)


def _formula(k: float, a: float, b: float) -> str:
    """``0.33``, ``0.33*inputs/outputs``, ``2*sqrt(inputs)``."""
    above: list[str] = []
    below: list[str] = []
    for name, power in (("inputs", a), ("outputs", b)):
        size = abs(power)
        text = {0.25: f"{name}^(1/4)", 0.5: f"sqrt({name})", 1.0: name}.get(size, f"{name}^{size:g}")
        if power:
            (above if power > 0 else below).append(text)
    over = below[0] if len(below) == 1 else f"({'*'.join(below)})"
    return "*".join(([] if k == 1 and above else [number(k)]) + above) + (f"/{over}" if below else "")
