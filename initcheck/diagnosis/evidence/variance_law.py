"""The law a variance follows: Var w = c / D(shape), fitted to mean squares at many shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from initcheck.contract.layer import Layer
from initcheck.diagnosis.evidence.denominators import DENOMINATORS, Denominator

_FLOOR = 0.05  # a shape within 5 % of the law is no exception, however precisely it was measured
_SIGMAS = 5.0


@dataclass(frozen=True)
class LawSample:
    """The second moment of the weights at one layer, as measured.

    Attributes:
        layer: the layer.
        mean_square: mean of w^2 over all weights drawn at this layer; NaN where none could be drawn.
        relative_se: standard error of ``mean_square``, relative to it.
        n: number of weights drawn.
    """

    layer: Layer
    mean_square: float
    relative_se: float
    n: int


@dataclass(frozen=True)
class VarianceLaw:
    """Var w = constant / denominator, and the layers that do not follow it.

    Attributes:
        denominator: what the variance is divided by.
        constant: c, the value that most layers agree on.
        exceptions: layers off by more than max(5 %, 5 standard errors).
        spread: relative standard deviation, about c, of the layers' own constants where they agree.
        standard_error: of c, relative to c.
        agreeing: number of layers that follow the law.
    """

    denominator: Denominator
    constant: float
    exceptions: tuple[Layer, ...]
    spread: float
    standard_error: float
    agreeing: int

    def variance(self, layer: Layer) -> float:
        """Predict Var w at a layer; infinite where the law divides by zero."""
        divisor = self.denominator.of(layer)
        return self.constant / divisor if divisor > 0 else math.inf

    def __str__(self) -> str:
        if self.denominator.name == "1":
            return f"{self.constant:.3g} at every width"
        if self.denominator.name.startswith("1/"):
            return f"{self.constant:.3g}*{self.denominator.name[2:]}"
        simple = self.denominator.name.replace("_", "").isalnum() or self.denominator.name[0] == "("
        divisor = self.denominator.name if simple else f"({self.denominator.name})"
        return f"{self.constant:.3g}/{divisor}"


def fit_laws(samples: Sequence[LawSample], denominators: Sequence[Denominator] = DENOMINATORS) -> list[VarianceLaw]:
    """Fit every law of the library; the best comes first.

    The constant is the value that most layers agree on: a weighted median would read a fan that wraps at 256
    as no law at all. Fewest exceptions win; an odd law must save two of them to be preferred to a plain fan.

    >>> layers = [Layer((o, i)) for o, i in [(64, 64), (8, 100), (100, 8), (3, 50), (1, 7)]]
    >>> str(fit_laws([LawSample(a, 2 / a.fan_in, 0.01, 4096) for a in layers])[0])
    '2/fan_in'

    Args:
        samples: second moments, one per layer; where they are not finite or zero the layer is an exception.
        denominators: the laws to try, in order of preference.

    Returns:
        One law per denominator that has a constant at all; empty where no sample is positive and finite.
    """
    if not samples:
        return []
    moments = np.array([s.mean_square for s in samples], dtype=np.float64)
    errors = np.array([s.relative_se for s in samples], dtype=np.float64)
    errors = np.where(np.isfinite(errors) & (errors >= 0), errors, 1.0)
    laws: list[tuple[tuple[float, bool, float, int], VarianceLaw]] = []
    for index, candidate in enumerate(denominators):
        divisors = np.array([candidate.of(s.layer) for s in samples], dtype=np.float64)
        found = _consensus(moments, divisors, errors)
        if found is None:
            continue
        constant, agrees, spread, standard_error = found
        exceptions = tuple(s.layer for s, agreeing in zip(samples, agrees, strict=True) if not agreeing)
        law = VarianceLaw(candidate, constant, exceptions, spread, standard_error, int(agrees.sum()))
        odd = not candidate.is_plain
        laws.append(((len(exceptions) + odd, odd, round(spread, 3), index), law))
    return [law for _, law in sorted(laws, key=lambda pair: pair[0])]


def _consensus(
    moments: npt.NDArray[np.float64], divisors: npt.NDArray[np.float64], errors: npt.NDArray[np.float64]
) -> tuple[float, npt.NDArray[np.bool_], float, float] | None:
    usable = np.isfinite(moments) & (moments > 0) & (divisors > 0) & np.isfinite(divisors)
    if not usable.any():
        return None
    logs = np.full(len(moments), np.inf)
    logs[usable] = np.log(moments[usable]) + np.log(divisors[usable])
    allowed = np.maximum(_FLOOR, _SIGMAS * errors)
    weights = 1.0 / (errors**2 + 0.005**2)

    def agreeing(log_c: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        # Above c the ratio is compared, below it the logarithm: the mean square of few weights is skewed so.
        off = logs[None, :] - log_c[:, None]
        return np.asarray((off >= -allowed) & (off <= np.log1p(allowed)))

    candidates = logs[usable]
    votes = agreeing(candidates)
    # Most shapes first; between equals, those that were measured best.
    best = int(np.argmax(votes.sum(axis=1) + 0.5 * (votes @ weights) / weights.sum()))
    log_c = candidates[best : best + 1]
    for _ in range(3):
        mine = agreeing(log_c)[0]
        if not mine.any():
            return None
        log_c = np.atleast_1d(np.average(logs[mine], weights=weights[mine]))
    mine = agreeing(log_c)[0]
    if not mine.any():
        return None
    residuals = logs[mine] - log_c[0]
    spread = float(np.sqrt(np.average(residuals**2, weights=weights[mine])))
    precise = np.maximum(errors[mine], 1e-9)
    standard_error = float(1.0 / np.sqrt(np.sum(precise**-2.0)))
    # A law that divides by zero predicts no finite variance, one that divides by infinity none at all.
    agrees = mine | ((divisors <= 0) & ~np.isfinite(moments)) | (np.isposinf(divisors) & (moments == 0))
    return float(np.exp(log_c[0])), agrees, spread, standard_error


class Exponents(NamedTuple):
    """Var w = exp(log_c) * fan_in^a * fan_out^b * receptive^r, by least squares; He is (log 2, -1, 0, 0)."""

    log_c: float
    fan_in: float
    fan_out: float
    receptive: float


def exponents(samples: Sequence[LawSample]) -> Exponents:
    """Measure the exponents of the power law, by least squares on logarithms.

    A fan that does not vary over the samples gets exponent 0; samples zero or not finite are left out.

    >>> layers = [Layer((o, i)) for o, i in [(64, 64), (8, 100), (100, 8), (3, 50), (1, 7)]]
    >>> [round(x, 6) + 0.0 for x in exponents([LawSample(a, 1 / a.fan_in**2, 0.01, 4096) for a in layers])]
    [0.0, -2.0, 0.0, 0.0]

    Raises:
        ValueError: no sample is positive and finite.
    """
    kept = [s for s in samples if math.isfinite(s.mean_square) and s.mean_square > 0]
    if not kept:
        raise ValueError(f"none of {len(samples)} second moments is positive and finite: there is no law to fit.")
    logs = np.log([[s.layer.fan_in, s.layer.fan_out, s.layer.receptive] for s in kept])
    varies = [axis for axis in range(3) if np.ptp(logs[:, axis]) > 1e-9]
    columns = np.column_stack([np.ones(len(kept)), logs[:, varies]])
    weights = 1.0 / np.maximum([s.relative_se if math.isfinite(s.relative_se) else 1.0 for s in kept], 0.02)
    target = np.log([s.mean_square for s in kept])
    solution = np.linalg.lstsq(columns * weights[:, None], target * weights, rcond=None)[0]
    powers = [0.0, 0.0, 0.0]
    for position, axis in enumerate(varies):
        powers[axis] = float(solution[1 + position])
    return Exponents(float(solution[0]), *powers)
