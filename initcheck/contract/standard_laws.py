"""The laws of weights that a contract can name, at variance 1, and the bounded scores that tell them apart."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

COSINES = 8
"""How many cosines of the probability integral transform are looked at."""

_GRID = 16_385
_QUANTILES = 8_192
# Beyond this many standard deviations a law without bounds has no weight that float64 could show.
_FAR = 40.0


@dataclass(frozen=True)
class StandardLaw:
    """A continuous law of mean 0 and variance 1.

    >>> law = standard_law("uniform")
    >>> round(law.bound, 4), law.cosines(np.array([0.0]))[:, 0].round(6).tolist()
    (1.7321, [0.0, -1.0, -0.0, 1.0, 0.0, -1.0, -0.0, 1.0])

    Attributes:
        name: such as ``truncated_normal``.
        bound: largest possible magnitude; inf where there is none.
        by_magnitude: the scale is estimated from mean |w| instead of mean w^2, whose tail would be too heavy.
        cdf: the distribution function F, of one number.
    """

    name: str
    bound: float
    by_magnitude: bool
    cdf: Callable[[float], float]

    @functools.cached_property
    def _table(self) -> tuple[Floats, Floats]:
        """z and F(z); interpolated it is right to 10^-6, and ten times as fast as a vector of math.erf."""
        edge = min(self.bound, _FAR)
        # Dense in the middle, where the mass is.
        z = edge * np.linspace(-1.0, 1.0, _GRID) ** (3 if edge == _FAR else 1)
        return z, np.array([self.cdf(x) for x in z])

    def cosines(self, z: npt.ArrayLike) -> Floats:
        """cos(pi j F(z)) for j = 1 to 8: each in [-1, 1], of mean 0 under the law. Shape (8, *z.shape).

        The orthogonal system of Neyman's smooth test, in place of Legendre's polynomials, as its bound is 1.
        """
        grid, cdf = self._table
        x = np.interp(np.asarray(z, dtype=np.float64), grid, np.cos(math.pi * cdf))
        found = np.empty((COSINES, *x.shape))
        before, found[0] = np.ones_like(x), x
        for j in range(1, COSINES):
            # Chebyshev: cos(pi (j + 1) u) from the two before it.
            np.multiply(2.0 * x, found[j - 1], out=found[j])
            found[j] -= found[j - 2] if j > 1 else before
        return found

    @functools.cached_property
    def _quantiles(self) -> Floats:
        grid, cdf = self._table
        return np.asarray(np.interp((np.arange(_QUANTILES) + 0.5) / _QUANTILES, cdf, grid))

    def bias(self, error: float) -> Floats:
        """Largest \\|E cos(pi j F(z/c))\\| for a scale wrong by the factor c = 1 + error or 1 - error, shape (8,)."""
        off = [np.abs(self.cosines(self._quantiles * c).mean(axis=1)) for c in (1 + error, 1 - error, 1 + error / 2)]
        return np.asarray(np.max(off, axis=0))

    def scale(self, values: npt.NDArray[np.float64]) -> float:
        """The standard deviation of a law of this shape, from a sample of it."""
        if self.by_magnitude:
            return float(np.abs(values).mean() / np.abs(self._quantiles).mean())
        return math.sqrt(float(np.square(values).mean()))

    def scale_error(self, weights: int, error_rate: float) -> float:
        """Relative error of ``scale`` that independent weights of this law exceed with that probability at most.

        >>> round(standard_law("normal").scale_error(262_144, 1e-8), 3)
        0.012

        Of w^2: chi-squared, P(|mean - 1| >= t) <= 2 exp(-N t^2/8) (Wainwright 2019, example 2.11), for the normal;
        Bernstein's inequality for a bounded law. Of |w| for Laplace, whose |w| is exponential:
        P(|mean - 1| >= t) <= 2 exp(-N t^2/4) for t <= 3/4, as t - ln(1 + t) >= t^2/4.
        """
        log = math.log(2.0 / error_rate)
        if self.by_magnitude:
            return min(math.sqrt(4.0 * log / weights), 0.75)
        if math.isinf(self.bound):
            t = math.sqrt(8.0 * log / weights)
        else:
            third, spread = self.bound**2 / 3.0, float(np.mean(self._quantiles**4)) - 1.0
            t = (log * third + math.sqrt((log * third) ** 2 + 2.0 * weights * log * spread)) / weights
        return 1.0 - math.sqrt(max(1.0 - t, 0.0))


@functools.cache
def standard_law(name: str, parameter: float | None = None) -> StandardLaw | None:
    """The law of that name at variance 1; None where the name fixes no continuous law.

    >>> standard_law("truncated_normal", 2).bound.__round__(4), standard_law("sparse")
    (2.2737, None)

    Args:
        name: ``normal``, ``uniform``, ``truncated_normal``, ``laplace``.
        parameter: where a normal is cut, in standard deviations before the cut.
    """
    if name == "normal":
        return StandardLaw(name, math.inf, False, _normal)
    if name == "uniform":
        edge = math.sqrt(3.0)
        return StandardLaw(name, edge, False, lambda z: (z + edge) / (2 * edge))
    if name == "truncated_normal" and parameter is not None and parameter > 0:
        cut, std = parameter, truncated_std(1.0, -parameter, parameter)
        mass = math.erf(cut / math.sqrt(2))
        return StandardLaw(name, cut / std, False, lambda z: 0.5 + (_normal(z * std) - 0.5) / mass)
    if name == "laplace":
        return StandardLaw(name, math.inf, True, _laplace)
    return None


def _normal(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))


def _laplace(z: float) -> float:
    tail = 0.5 * math.exp(-abs(z) * math.sqrt(2))
    return tail if z < 0 else 1 - tail


def truncated_std(std: float, low: float, high: float) -> float:
    """Standard deviation of a normal of mean 0 that is cut at ``low`` and ``high`` sigma.

    >>> round(truncated_std(1.0, -2.0, 2.0), 6)
    0.879626
    """
    return std * math.sqrt(truncated_moments(low, high)[1]) if std > 0 else 0.0


def truncated_moments(low: float, high: float) -> tuple[float, float]:
    """Mean and variance of a standard normal cut at ``low`` and ``high``; zeros where nothing of it lies between.

    >>> mean, variance = truncated_moments(0.0, math.inf)
    >>> round(mean, 4), round(variance, 4)
    (0.7979, 0.3634)

    Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions, vol. 1, section 13.10.1.
    """
    mass = (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2))) / 2
    if not mass > 0:
        return 0.0, 0.0
    at_low, at_high = (math.exp(-x * x / 2) / math.sqrt(2 * math.pi) for x in (low, high))
    shift = (at_low - at_high) / mass
    # Infinity times the density there is nothing.
    edges = (low * at_low if at_low else 0.0) - (high * at_high if at_high else 0.0)
    return shift, max(1 + edges / mass - shift**2, 0.0)
