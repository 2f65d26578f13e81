"""Networks as deep as the contract says, drawn fresh each, and how much energy is left at their end."""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt

from initcheck.contract.case import Case
from initcheck.contract.contract import Contract
from initcheck.contract.second_moments import nonlinearity
from initcheck.draws.call import BrokenCall
from initcheck.draws.draws import Draws
from initcheck.draws.streams import Stream
from initcheck.networks import Activation, energy_curves
from initcheck.seeds import generator

ISOMETRIC = ("orthogonal", "isometric")
"""Distributions by which a contract promises that a product of layers keeps nearly all lengths."""


Floats = npt.NDArray[np.float64]

_BATCH = 16
# Networks of an ideal gain; the first few say it where they show that it is nowhere near an edge.
_IDEAL_NETWORKS, _FIRST_FEW = 25, 7
NEAR_EDGE = 0.7
"""A network of normal weights that changes an energy by 10 to this power excuses what lies beyond a factor of 10."""


@functools.lru_cache(maxsize=64)
def ideal_ratios(phi: Activation, width: int, depth: int) -> tuple[float, float]:
    """Median log10 energy ratios (forward, backward) of normal networks of an activation's ideal gain, a fixed seed.

    Of 25 networks; of 7 where both medians of these lie three standard errors of a mean below ``NEAR_EDGE``.

    >>> from initcheck.networks import activation
    >>> abs(ideal_ratios(activation("linear"), 32, 4)[0]) < 0.2
    True
    """
    rng = np.random.default_rng(0)
    ratios = np.empty((_IDEAL_NETWORKS, 2))
    for k in range(_IDEAL_NETWORKS):
        if k == _FIRST_FEW and _far_below(ratios[:k], NEAR_EDGE):
            ratios = ratios[:k]
            break
        rows = phi.streams * width
        # In single precision, which takes half of the time: the energies are summed in double.
        std = np.float32(phi.gain / math.sqrt(width))
        weights = [rng.standard_normal((rows, width), dtype=np.float32) * std for _ in range(depth)]
        curves = energy_curves(weights, phi, rng.standard_normal((_BATCH, rows)), rng.standard_normal((_BATCH, rows)))
        ratios[k] = curves[0][-1], curves[1][-1]
    forward, backward = np.median(ratios, axis=0)
    return float(forward), float(backward)


def _far_below(ratios: Floats, edge: float) -> bool:
    """Whether the medians of columns lie below an edge in magnitude, by three standard errors.

    >>> _far_below(np.tile([[0.1, -0.2], [0.3, 0.2]], (4, 1)), 0.7), _far_below(np.tile([[0.1, 0.9]], (8, 1)), 0.7)
    (True, False)
    """
    error = ratios.std(axis=0) / math.sqrt(len(ratios))
    return bool((np.abs(np.median(ratios, axis=0)) + 3 * error < edge).all())


class Chains:
    """The networks of one square layer, both energy curves of each; made once and kept as numbers."""

    def __init__(self, draws: Draws, contract: Contract, layer: Case) -> None:
        self.draws = draws
        self.contract = contract
        self.layer = layer
        self._curves: dict[Stream, list[Floats]] = {}
        self._shares: dict[Stream, list[float]] = {}
        # A product and its singular values cost more than a signal: made where it is promised that they say something.
        self._isometric = contract.promised("distribution") in ISOMETRIC

    def ratios(self, stream: Stream, networks: int) -> Floats:
        """log10 energy ratios (forward, backward) of the first networks of a stream, shape (networks, 2).

        Network k of depth L is made of calls k L to (k + 1) L - 1, whose sums are kept on the way: the other
        claims on this layer read the same calls. Before a gate a layer is two calls, one below the other.
        """
        self._draw(stream, networks)
        return self.curves(stream, networks)[:, :, -1]

    def curves(self, stream: Stream, networks: int) -> Floats:
        """The same after 0, 1, .. L layers, of the networks drawn so far, shape (at most networks, 2, L + 1)."""
        have = self._curves.get(stream, [])[:networks]
        return np.array(have, dtype=np.float64).reshape(len(have), 2, self.contract.depth + 1)

    def shares(self, stream: Stream, networks: int) -> Floats:
        """The share of singular values within a factor of 2 of 1, of the product of each network's layers.

        Each layer is brought to mean square singular value 1 first: its scale is what other claims judge.

        Raises:
            ValueError: the contract promises no isometry.
        """
        if not self._isometric:
            raise ValueError(f"distribution is none of {', '.join(ISOMETRIC)}: no product of layers was looked at")
        self._draw(stream, networks)
        return np.array(self._shares[stream][:networks])

    def _draw(self, stream: Stream, networks: int) -> None:
        have = self._curves.setdefault(stream, [])
        draws, layer, dtype = self.draws, self.layer, self.contract.dtypes[0]
        phi = nonlinearity(self.contract)
        depth = self.contract.depth * phi.streams
        while len(have) < networks:
            start = len(have) * depth
            weights: list[npt.NDArray[np.generic]] = []
            for stack in draws.stacks(layer, dtype, stream, start, start + depth):
                known = draws.recorded(layer, dtype, stream) - start - len(weights)
                if 0 <= known < len(stack):
                    draws.keep(layer, dtype, stream, stack[known:])
                weights.extend(stack)
            if (layer, dtype) in draws.nonfinite or not all(np.isfinite(w).all() for w in weights):
                raise BrokenCall("not finite", "a weight is not finite")
            rng = generator(draws.run_seed, "signal", layer.shape, stream, len(have))
            x = rng.standard_normal((_BATCH, layer.inputs * phi.streams))
            g = rng.standard_normal((_BATCH, layer.units * phi.streams))
            if phi.streams > 1:
                weights = [np.concatenate(weights[k : k + phi.streams]) for k in range(0, depth, phi.streams)]
            if self._isometric:
                self._shares.setdefault(stream, []).append(_share_near_one(weights))
            have.append(np.stack(energy_curves(weights, phi, x, g)))


def _share_near_one(weights: list[npt.NDArray[np.generic]]) -> float:
    """The share of the singular values of a product, each factor over its rms singular value, in [1/2, 2].

    >>> _share_near_one([np.diag([3.0, 3.0]), np.diag([1.0, -1.0])]), _share_near_one([np.diag([1.0, 0.1])])
    (1.0, 0.5)
    """
    product = np.eye(weights[0].shape[-1])
    for w in weights:
        factor = np.asarray(w, dtype=np.float64)
        rms = math.sqrt(float(np.square(factor).sum()) / min(factor.shape))
        product = (factor / rms if rms else factor) @ product
    values = np.linalg.svd(product, compute_uv=False)
    return float(np.mean((values >= 0.5) & (values <= 2.0)))
