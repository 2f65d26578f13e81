"""A constant that falls short of a gain by a factor somebody forgot: a bound, a truncation, a sparsity."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from initcheck.contract.gains import SIGMAS, TOLERANCE, Gain, known_gains
from initcheck.diagnosis.evidence.marginal_law import Family

_COMMON = ("linear", "relu", "tanh")


@dataclass(frozen=True)
class Shortfall:
    """A constant that is a gain's, times a factor that was forgotten.

    Attributes:
        kind: ``uniform``, ``truncated``, ``clipped``, ``sparse``, ``scale``.
        factor: what was overlooked: c = factor * gain^2.
        gain: whose gain.
    """

    kind: str
    factor: float
    gain: Gain


def shortfall(
    constant: float,
    standard_error: float,
    family: Family,
    wanted: float | None = None,
    named: Collection[str] = (),
) -> Shortfall | None:
    """Explain a constant by the bound of a uniform, a truncation or a sparsity that was not corrected.

    Args:
        constant: c of Var w = c / fan.
        standard_error: of c, relative to c.
        family: the marginal law of the weights.
        wanted: gain^2 of the contract; None to accept the gain of any common activation.
        named: rarer activations that are accepted too. A third of a gain that nobody spoke of is any number.
    """
    factors = {
        "uniform": ("uniform", 1 / 3),
        "truncated_normal": ("truncated", family.share),
        "sparse": ("sparse", family.share),
        "levels": ("sparse", family.share),
        "clipped": ("clipped", family.share),
        "laplace": ("scale", 2.0),  # NumPy's scale b is not the deviation: the variance is 2 b^2
        "logistic": ("scale", math.pi**2 / 3),
    }
    kind, factor = factors.get("uniform" if family.is_uniform else family.name, ("", 1.0))
    if factor <= 0 or 0.985 < factor <= 1:
        return None
    accepted = {*_COMMON, *named}
    common = [g for g in known_gains() if g.activation in accepted]
    candidates = common if wanted is None else [Gain("", wanted, "")]
    allowed = max(TOLERANCE, SIGMAS * standard_error)
    off = [(abs(constant / (factor * g.power) - 1), g) for g in candidates]
    fitting = [(distance, g) for distance, g in off if distance <= allowed]
    return Shortfall(kind, factor, min(fitting, key=lambda pair: pair[0])[1]) if fitting else None
