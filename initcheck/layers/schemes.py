"""Whether the weights of a layer that promises nothing follow He's or Glorot's scheme at every size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from initcheck.contract.contract import Contract, Origin
from initcheck.draws.call import BrokenCall
from initcheck.draws.streams import SCREEN
from initcheck.layers.direct import measured
from initcheck.layers.draws import LayerDraws
from initcheck.layers.part import Part, Whole
from initcheck.networks import Activation

# Weights looked at of every part: their mean square is known to 2 % under a normal law.
_WEIGHTS = 4_096
_BUILDS = (8, 64)
_RUNS = 48
_TOLERANCE, _SIGMAS, _LARGEST_ERROR = 0.04, 4.0, 0.1


@dataclass(frozen=True)
class _Scheme:
    power: float
    fan: str
    activation: str
    note: str = ""

    def denominator(self, part: Part) -> float:
        """The fan of a part that the scheme divides by."""
        fan_in, fan_out = part.fans
        return {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.fan]


_SCHEMES = (
    _Scheme(2.0, "fan_in", "relu"),
    _Scheme(1.0, "fan_avg", "linear"),
    _Scheme(
        2.0, "fan_out", "relu", "Variance is 2/fan_out, He's for the gradient; if fan_in was meant, fans are swapped."
    ),
)


def scheme_of(draws: LayerDraws, parts: Sequence[Part], dtype: str) -> Contract | None:
    """The contract of the scheme whose constant fits at every size of a layer; None where neither does.

    One constant at sizes whose fans differ is no accident, and these are the schemes that people write into layers by
    hand. A unit of a depthwise layer has one fan at every size: there 2/fan serves it behind a ReLU however it came
    about. What other weights do stays measured against unit output variance.
    """
    try:
        squares = [_mean_square(draws, part, dtype) for part in parts]
    except BrokenCall:
        return None
    # A weight of a few entries tells nothing of a law that the others tell.
    kept = [(part, mean, error) for part, (mean, error) in zip(parts, squares, strict=True) if error < _LARGEST_ERROR]
    if len({part.number for part, _, _ in kept}) < 2 or not all(error < math.inf for _, error in squares):
        return None
    for scheme in _SCHEMES:
        off = [(abs(mean * scheme.denominator(part) / scheme.power - 1), error) for part, mean, error in kept]
        if all(o <= max(_TOLERANCE, _SIGMAS * error) for o, error in off):
            notes = (scheme.note,) if scheme.note else ()
            origins: dict[str, Origin] = {"activation": "inferred", "fan": "inferred"}
            return Contract(activation=scheme.activation, fan=scheme.fan, origins=origins, notes=notes)
    return None


def gives(draws: LayerDraws, wholes: Sequence[Whole], phi: Activation, variance: float, dtype: str) -> bool:
    """Whether the outputs of a layer that is run have this variance at every size.

    Args:
        draws: the layer's.
        wholes: the layer at every size it is run at.
        phi: what its inputs come out of.
        variance: over that of what comes out of ``phi``.
        dtype: of the builds.
    """
    feed_of, several = draws.sampler.builder.feed, len({whole.number for whole in wholes}) > 1
    for whole in wholes:
        seeds = draws.seeds(whole, dtype, SCREEN, 0, _RUNS)
        interior, feed = draws.structure.interiors[whole.number], feed_of(whole.size)
        try:
            outputs = [
                measured(f, feed, whole.size, interior, phi, s, whole.shape[0], backward=False).astype(float)
                for f, s in zip(draws.sampler.functions(whole.size, seeds), seeds, strict=True)
            ]
        except Exception:  # the user's code may raise in any way: where it does so for a claim, that is told
            return False
        values = [float(np.mean(out**2)) for out in outputs]
        mean = float(np.mean(values)) / variance
        error = float(np.std(values, ddof=1)) / variance / math.sqrt(_RUNS)
        if error > _LARGEST_ERROR * mean or abs(mean - 1) > max(_TOLERANCE, _SIGMAS * error):
            return False
    return several


def _mean_square(draws: LayerDraws, part: Part, dtype: str) -> tuple[float, float]:
    """Mean square of a part's weights over a few builds, and its relative standard error."""
    least, most = _BUILDS
    calls = max(least, min(most, math.ceil(_WEIGHTS / part.weights)))
    values = draws.records(part, dtype, SCREEN, calls).energy / part.weights
    mean = float(values.mean())
    if not 0 < mean < math.inf:
        return 0.0, math.inf
    return mean, float(np.std(values, ddof=1)) / mean / math.sqrt(calls)
