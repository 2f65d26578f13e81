"""How much of a signal is left after many layers, forward and backward, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.networks.activations import Activation

Array = npt.NDArray[np.float64]
Matrix = npt.NDArray[Any]

# log10 of the largest pre-activation kept at its true size, and of the size that larger ones are brought to.
_LARGEST = 100.0
_FAR_OUT = 50.0


def energy_ratio_forward(weights: Iterable[Matrix], activation: Activation, x: Array) -> float:
    """log10 of the mean square of the last pre-activations over that of the first.

    Layer l computes z_l = W_l phi(z_(l-1)), from z_0 = x. The signal is kept at a size that float64 can hold,
    and its scale beside it as a logarithm, so that nothing overflows.

    >>> from initcheck.networks.activations import activation
    >>> tenth = np.full((1, 1), 0.1)
    >>> round(energy_ratio_forward([tenth] * 400, activation("relu"), np.ones((4, 1))), 6)
    -800.0

    Args:
        weights: W_1 .. W_L, (units, inputs) each, of any floating dtype; may be a generator, of which only
            one layer is held at a time.
        activation: phi.
        x: pre-activations z_0, shape (batch, inputs of W_1).

    Returns:
        The log10 ratio; -inf where the last signal is exactly zero, inf where a layer exceeds float64,
        nan where a weight is not finite.

    Source: the length map of Poole et al. 2016 (arXiv 1606.05340), eq. 3, followed through one network.
    """
    with np.errstate(all="ignore"):
        signal = first = _settled(np.asarray(x, dtype=np.float64), 0.0, activation)
        for w in weights:
            signal = _through(signal, w, activation)
            if not np.isfinite(signal.z).all():
                return math.inf if np.isfinite(w).all() else math.nan
    return _log_ratio(signal.log_energy, first.log_energy)


def energy_ratios(weights: Iterable[Matrix], activation: Activation, x: Array, g: Array) -> tuple[float, float]:
    """Return (forward, backward), both log10 energy ratios, for one forward pass and one backward pass.

    Backward is the mean square of the gradient that reaches z_0 over that of the gradient g put in at z_L:
    delta_(l-1) = (W_l^T delta_l) * phi'(z_(l-1)), at the pre-activations of the forward pass from z_0 = x.

    >>> from initcheck.networks.activations import activation
    >>> half, one = np.full((1, 1), 0.5), np.ones((1, 1))
    >>> round(energy_ratios([half] * 10, activation("linear"), one, one)[1], 6)
    -6.0206

    Args:
        weights: W_1 .. W_L, (units, inputs) each; all are held, since the way down needs them again.
        activation: phi.
        x: pre-activations z_0, shape (batch, inputs of W_1).
        g: the gradient at z_L, shape (batch, units of W_L).

    Source: Schoenholz et al. 2017 (arXiv 1611.01232), section 4, followed through one network.
    """
    forward, backward = energy_curves(weights, activation, x, g)
    return float(forward[-1]), float(backward[-1])


def energy_curves(weights: Iterable[Matrix], activation: Activation, x: Array, g: Array) -> tuple[Array, Array]:
    """Follow both energies layer by layer: log10 ratios after 0, 1, .. L layers, shape (L + 1,) each.

    >>> from initcheck.networks.activations import activation
    >>> half, one = np.full((1, 1), 0.5), np.ones((1, 1))
    >>> energy_curves([half] * 3, activation("linear"), one, one)[0].round(2).tolist()
    [0.0, -0.6, -1.2, -1.81]

    Args:
        weights, activation, x, g: those of ``energy_ratios``.

    Returns:
        forward: entry l is the mean square of z_l over that of z_0.
        backward: entry l is the mean square of the gradient at z_(L-l) over that of g.
        From the layer on at which a value exceeds float64 the entries are inf, or nan where a weight is not finite.
    """
    held = [np.asarray(w) for w in weights]
    widened = _Widened()
    beyond = math.inf if all(np.isfinite(w).all() for w in held) else math.nan
    forward, backward = np.full(len(held) + 1, beyond), np.full(len(held) + 1, math.nan)
    forward[0] = backward[0] = 0.0
    with np.errstate(all="ignore"):
        signal = _settled(np.asarray(x, dtype=np.float64), 0.0, activation)
        path, start = [signal], signal.log_energy
        for layer, w in enumerate(held, 1):
            signal = _through(signal, widened(w), activation)
            if not np.isfinite(signal.z).all():
                return forward, backward
            path.append(signal)
            forward[layer] = _log_ratio(signal.log_energy, start)

        delta = _Signal(np.asarray(g, dtype=np.float64), 0.0).shrunk()
        first = delta.log_energy
        backward[1:] = beyond
        for layer, (w, below) in enumerate(zip(reversed(held), reversed(path[:-1]), strict=True), 1):
            # phi'(c z) = c^(degree - 1) phi'(z); degree 1 also where phi is a straight line far out.
            scale = delta.scale + below.scale * (activation.growth - 1)
            delta = _Signal(activation.backward(below.z, delta.z @ widened(w)), scale).shrunk()
            if not np.isfinite(delta.z).all():
                break
            backward[layer] = _log_ratio(delta.log_energy, first)
    return forward, backward


class _Widened:
    """Matrices in float64, one at a time in the same memory: fresh memory costs more than the product."""

    def __init__(self) -> None:
        self._buffers: dict[tuple[int, ...], Array] = {}

    def __call__(self, w: npt.NDArray[Any]) -> Array:
        if w.dtype == np.float64:
            return w
        if w.shape not in self._buffers:
            self._buffers[w.shape] = np.empty(w.shape)
        np.copyto(self._buffers[w.shape], w, casting="unsafe")
        return self._buffers[w.shape]


@dataclass(frozen=True)
class _Signal:
    """The values 10^scale * z."""

    z: Array
    scale: float

    @property
    def log_energy(self) -> float:
        """log10 of the mean square, without squaring anything that could overflow."""
        largest = float(np.abs(self.z).max())
        if largest == 0.0:
            return -math.inf
        share = (self.z / largest).ravel()
        return 2.0 * (self.scale + math.log10(largest)) + math.log10(float(np.dot(share, share)) / share.size)

    def shrunk(self) -> _Signal:
        """The same values with a largest |z| of 1."""
        largest = float(np.abs(self.z).max())
        if largest == 0.0 or not math.isfinite(largest):
            return self
        return _Signal(self.z / largest, self.scale + math.log10(largest))


def _settled(z: Array, scale: float, activation: Activation) -> _Signal:
    """The same signal, scaled so that phi treats it as it would treat the true values.

    A homogeneous phi (ReLU) may be fed any multiple. No other may: tanh of a small signal is a straight line
    and tanh of a large one a sign. But those that are straight lines far out (GELU, SELU) may be fed any
    multiple that is still far out: a value that then falls into the bent part was 10^-49 of the largest,
    which float64 loses in the next sum anyway.
    """
    if activation.homogeneous:
        return _Signal(z, scale).shrunk()
    if scale == 0.0 and (activation.saturating or float(np.abs(z).max()) <= 10.0**_LARGEST):
        return _Signal(z, 0.0)
    shrunk = _Signal(z, scale).shrunk()
    if shrunk.scale <= _LARGEST:
        return _Signal(shrunk.z * 10.0**shrunk.scale, 0.0)
    return _Signal(shrunk.z * 10.0**_FAR_OUT, shrunk.scale - _FAR_OUT)


def _through(signal: _Signal, w: Matrix, activation: Activation) -> _Signal:
    h = activation.f(signal.z)
    return _settled(h @ np.asarray(w, dtype=np.float64).T, signal.scale * activation.growth, activation)


def _log_ratio(last: float, first: float) -> float:
    return -math.inf if last == -math.inf else last - first
