"""What an activation does to signal and gradient in wide layers: gains, fixed points, and how deep they reach."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.networks.activations import Activation
from initcheck.networks.quadrature import gaussian_grid

Array = npt.NDArray[np.float64]

DEEPEST = 1000
"""Layers up to which signal and gradient are followed."""

CORRELATIONS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Correlations of two inputs at which the correlation of their outputs is shown."""

_FAR_OUT = 12.0  # a moment that inputs beyond it carry is none
_DEGREE = 400  # of the last Hermite polynomial; 0.95^400 is 10^-9
_TENTH = 0.1
_FACTOR = math.log(10.0)
# The second moment that a signal begins with: a few hundred units are off by as much, and where the fixed point repels
# nothing stays on it.
_BEGINS = 1.01


@dataclass(frozen=True)
class Survival:
    """How deep a network of one gain carries a signal and a gradient.

    Attributes:
        gain: Var w = gain^2/fan_in, in layers as wide as one another.
        variance: of the first pre-activations, of inputs of variance 1 before the activation.
        slope: what the second moment of a gradient is multiplied by in the first layer.
        signal, gradient: layers after which the energy has left a tenth to ten times; None where it has not after
            ``DEEPEST``.
    """

    gain: float
    variance: float
    slope: float
    signal: int | None
    gradient: int | None


@dataclass(frozen=True)
class MeanField:
    """The limit of infinite width, without biases: every pre-activation is normal.

    >>> from initcheck.networks.activations import activation
    >>> relu = MeanField(activation("relu"))
    >>> round(relu.forward_gain, 6), round(relu.backward_gain, 6), relu.chi, relu.keeps_both
    (1.414214, 1.414214, 1.0, True)
    >>> MeanField(activation("tanh")).keeps_both
    False

    Source: Poole et al. 2016 (arXiv 1606.05340); Schoenholz et al. 2017 (arXiv 1611.01232).

    Attributes:
        phi: the activation.
    """

    phi: Activation

    @property
    def finite(self) -> bool:
        """Whether normal pre-activations give the output a second moment that can be measured."""
        inner = self.phi.gate or self.phi
        values = inner.f(inner.grid.z) ** 2
        if not np.isfinite(values).all() or inner.grid.share_beyond(values, _FAR_OUT) > 1e-6:
            return False
        return 0 < self.phi.m2 < math.inf

    @property
    def error(self) -> float:
        """Estimated relative error of the moments."""
        return max(self.phi.grid.error, 16 * self.phi.rounding)

    @property
    def forward_gain(self) -> float:
        """1/sqrt(E phi^2): pre-activations keep second moment 1, which is then a fixed point of the length map."""
        return self.phi.gain

    @property
    def backward_gain(self) -> float:
        """1/sqrt(E phi'^2): a gradient keeps its second moment through layers as wide as one another."""
        return 1.0 / math.sqrt(self.phi.m2_prime) if self.phi.m2_prime > 0 else math.inf

    @property
    def chi(self) -> float:
        """E phi'^2 / E phi^2: what a gradient, and a small difference of inputs, grows by in a layer (squared)."""
        return self.phi.m2_prime / self.phi.m2

    @property
    def keeps_both(self) -> bool:
        """Whether the forward gain keeps the gradient to a tenth."""
        return abs(self.chi - 1) <= _TENTH

    @functools.cached_property
    def stretch(self) -> float:
        """What a small error of the second moment grows by in a layer: below 1 the fixed point attracts."""
        step = 1e-3
        # On points that follow this activation: a difference of two sums shows every error of them.
        points = (self.phi.gate or self.phi).grid
        above, below = (self._length(1 + s, points.z, points.weight) for s in (step, -step))
        return (math.log(above) - math.log(below)) / (math.log(1 + step) - math.log(1 - step))

    def length(self, q: float) -> float:
        """E phi(sqrt(q) z)^2: the second moment behind pre-activations of variance q."""
        return self._length(q, *_fixed())

    def _length(self, q: float, z: Array, weight: Array) -> float:
        inner = self.phi.gate or self.phi
        with np.errstate(all="ignore"):
            found = float(np.dot(weight, inner.f(math.sqrt(q) * z) ** 2))
        return found * q if self.phi.gate is not None else found

    def slope(self, q: float) -> float:
        """E phi'(sqrt(q) z)^2; of a gate the sum over its two inputs."""
        inner, (z, weight) = self.phi.gate or self.phi, _fixed()
        with np.errstate(all="ignore"):
            found = float(np.dot(weight, inner.derivative(math.sqrt(q) * z) ** 2))
            if self.phi.gate is None:
                return found
            return found * q + float(np.dot(weight, inner.f(math.sqrt(q) * z) ** 2))

    def survival(self, gain: float) -> Survival:
        """Follow the energies of a signal of variance 1.01 and of a gradient from layer to layer."""
        square = gain * gain
        q, signal_left, gradient_left, log_gradient = _BEGINS, None, None, 0.0
        for layer in range(1, DEEPEST + 1):
            log_gradient += math.log(max(square * self.slope(q), 1e-300))
            following = square * self.length(q)
            settled = abs(following / q - 1) < 1e-9 if q > 0 else True
            q = following
            if signal_left is None and not 0.1 <= q <= 10.0:
                signal_left = layer
            if gradient_left is None and abs(log_gradient) > _FACTOR:
                gradient_left = layer
            if signal_left is not None and (gradient_left is not None or not 1e-200 < q < 1e200):
                break
            if settled:
                # A fixed point: every layer that follows multiplies by the same.
                rate = math.log(max(square * self.slope(q), 1e-300))
                left = math.copysign(_FACTOR, rate) - log_gradient
                more = math.ceil(left / rate) if abs(rate) > 1e-12 else DEEPEST
                if gradient_left is None and layer + more <= DEEPEST:
                    gradient_left = layer + max(more, 1)
                break
        return Survival(gain, square * self.phi.m2, square * self.phi.m2_prime, signal_left, gradient_left)

    @functools.cached_property
    def coefficients(self) -> Array:
        """Shares of E phi^2 that lie in each Hermite polynomial, degree 0 first; Mehler's formula sums them."""
        inner = self.phi.gate or self.phi
        z, weight = inner.grid.z, inner.grid.weight
        values = weight * inner.f(z)
        before, here = np.zeros_like(z), np.ones_like(z)
        shares = np.empty(_DEGREE + 1)
        for k in range(_DEGREE + 1):
            shares[k] = float(np.dot(values, here)) ** 2
            before, here = here, (z * here - math.sqrt(k) * before) / math.sqrt(k + 1)
        shares /= inner.m2
        return np.concatenate([[0.0], shares]) if self.phi.gate is not None else shares

    def correlation(self, c: float) -> float:
        """The correlation map: of pre-activations with correlation c, what the next layer's have.

        E phi(u) phi(v) / E phi^2 for u, v of variance 1 and covariance c (Poole et al. 2016, eq. 5, at the fixed
        point). What no polynomial of degree 400 holds is taken to lie just beyond it.
        """
        powers = c ** np.arange(len(self.coefficients))
        rest = max(1.0 - float(self.coefficients.sum()), 0.0)
        return float(np.dot(self.coefficients, powers)) + rest * c ** len(self.coefficients)

    @functools.cached_property
    def settles_at(self) -> float:
        """The correlation that all pairs of inputs end at: 1 where chi is at most 1."""
        if self.chi <= 1 + 1e-9:
            return 1.0
        c = 0.5
        for _ in range(2000):
            following = self.correlation(c)
            if abs(following - c) < 1e-12:
                break
            c = following
        return c

    @functools.cached_property
    def correlation_depth(self) -> float:
        """Layers over which the distance from that correlation falls to 1/e; inf where it falls by no such rate."""
        c = self.settles_at
        if c >= 1.0:
            rate = self.chi
        else:
            k = np.arange(1, len(self.coefficients))
            rate = float(np.dot(k * self.coefficients[1:], c ** (k - 1)))
        if rate >= 1 - 1e-9:
            return math.inf
        return 0.0 if rate <= 0 else -1.0 / math.log(rate)

    @property
    def gradient_depth(self) -> float:
        """Layers over which a gradient changes by a factor e at the forward gain; inf where it keeps its size."""
        rate = abs(math.log(self.chi)) if self.chi > 0 else math.inf
        return math.inf if rate < 1e-9 else 1.0 / rate

    @functools.cached_property
    def variance_that_keeps_both(self) -> tuple[float, float] | None:
        """Variance and gain, the variance nearest to 1, at which signal and gradient both stay, to a tenth."""
        found = []
        for q in np.logspace(-3, 3, 121):
            length = self.length(float(q))
            if 0 < length < math.inf and abs(float(q) * self.slope(float(q)) / length - 1) <= _TENTH:
                found.append((abs(math.log(q)), float(q), math.sqrt(float(q) / length)))
        if self.keeps_both:
            return 1.0, self.forward_gain
        return min(found)[1:] if found else None

    @property
    def reason(self) -> str:
        """Why no one gain keeps both at variance 1; empty where one does."""
        phi = self.phi
        if phi.m2 == 0:
            return "E phi^2 is 0 in float64: nothing comes through that a gain could scale"
        if not self.finite:
            return "normal pre-activations give its output no finite second moment, so that no gain keeps anything"
        if self.keeps_both:
            return ""
        if phi.m2_prime == 0:
            return "its derivative is 0 wherever it has one: no gradient comes back at any gain"
        if phi.gate is not None:
            return (
                f"both inputs of a gate send a gradient back: E phi^2 and E phi'^2 add up to {self.chi:.3g} times the"
                " signal's"
            )
        if self.chi < 1:
            share = phi.m1**2 / phi.m2
            return (
                f"{share:.0%} of the signal's second moment is its mean, which a gradient does not see: it shrinks to"
                f" {self.chi:.3g} in a layer"
            )
        return (
            f"E phi'^2 is {self.chi:.3g} E phi^2: by Poincare's inequality it is at least Var phi, and equals it of a"
            " straight line alone"
        )


@functools.cache
def _fixed() -> tuple[Array, Array]:
    grid = gaussian_grid(lambda z: z[None])
    return grid.z, grid.weight
