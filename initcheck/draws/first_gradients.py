"""The first gradients of networks that an initializer starts: back-propagation through two drawn layers."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from initcheck.contract.case import Case
from initcheck.contract.contract import Contract
from initcheck.contract.second_moments import nonlinearity
from initcheck.draws.call import BrokenCall
from initcheck.draws.draws import Draws
from initcheck.draws.streams import Stream
from initcheck.networks import squared_error
from initcheck.seeds import generator

Array = npt.NDArray[np.float64]


_BATCH = 64
_TOGETHER = 25  # networks drawn at a time
OUTPUTS = 128
"""Units of the output layer, at least: a unit of a sparse initializer has an outgoing weight then (0.9^128 is 1e-6)."""


def first_gradients(
    draws: Draws, contract: Contract, layer: Case, upper: Case, tall: int, stream: Stream, networks: int
) -> Iterator[tuple[Array, Array]]:
    """W_1 and dLoss/dW_1 of networks of one hidden layer, (networks, units, inputs) each, some networks at a time.

    The hidden layer and the output layer are drawn; contract's activation, squared error, float64 NumPy. All networks
    of a stream see the same normal data and targets. Before a gate the hidden layer is two calls; the gradient is that
    of the first.

    Args:
        draws: of the initializer.
        contract: what it is held to; its first dtype is asked for.
        layer: the hidden layer.
        upper: the layer above it.
        tall: how many of these, one below the other, make its units.
        stream: the stream of calls to draw from.
        networks: how many.

    Raises:
        BrokenCall: a call gave no weights, or a weight is not finite.
    """
    outputs = upper.units
    phi = nonlinearity(contract)
    network_draws = functools.partial(draws.stacks, dtype=contract.dtypes[0], start=0)
    lower = network_draws(
        layer, stream=stream.of("network"), stop=phi.streams * networks, chunk=phi.streams * _TOGETHER
    )
    # One shape may be drawn for both layers: never the same calls.
    above = Stream(stream.of("network") + " above" * (tall > 1 or upper == layer))
    drawn = network_draws(upper, stream=above, stop=tall * networks, chunk=tall * _TOGETHER)
    rng = generator(draws.run_seed, "network", layer.shape, stream)
    x, target = rng.standard_normal((_BATCH, layer.inputs)), rng.standard_normal((_BATCH, tall * outputs))
    for below, stack in zip(lower, drawn, strict=True):
        both = below.astype(np.float64).reshape(-1, phi.streams * layer.units, layer.inputs)
        second = stack.reshape(-1, tall * outputs, layer.units).astype(np.float64)
        if not (np.isfinite(both).all() and np.isfinite(second).all()):
            raise BrokenCall("not finite", "a weight is not finite")
        z = x @ both.swapaxes(1, 2)
        _, gradient = squared_error(phi.f(z) @ second.swapaxes(1, 2), target)
        delta = phi.backward(z, gradient @ second)[..., : layer.units]
        yield below.reshape(-1, phi.streams, layer.units, layer.inputs)[:, 0], delta.swapaxes(1, 2) @ x
