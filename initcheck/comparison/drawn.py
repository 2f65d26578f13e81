"""The calls of one initializer, each made once and kept, as matrices of one row a unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.contract.initializer import Initializer
from initcheck.contract.layer import Layer
from initcheck.draws.draws import Draws
from initcheck.draws.streams import Stream

Array = npt.NDArray[Any]

DTYPE = "float32"
_STREAM = Stream("same")
# How the axes of a kernel are ordered before a row is a unit: whatever the layout, an entry keeps its place.
_ORDER = "oidhw"


def matrix_of(stack: Array, layer: Layer) -> Array:
    """View calls (calls, *shape) as (calls, units, inputs), inputs ordered alike in every layout.

    >>> kernel = np.arange(24).reshape(2, 3, 4, 1)
    >>> one = matrix_of(kernel[None], Layer((2, 3, 4, 1), "oihw"))
    >>> other = matrix_of(kernel.transpose(2, 3, 1, 0)[None], Layer((4, 1, 3, 2), "hwio"))
    >>> one.shape, bool((one == other).all())
    ((1, 2, 12), True)
    """
    axes = sorted(range(len(layer.shape)), key=lambda k: _ORDER.index(layer.axes[k]))
    ordered = stack.transpose(0, *(k + 1 for k in axes))
    return np.ascontiguousarray(ordered.reshape(len(stack), layer.units, layer.inputs))


class Drawn:
    """Calls of one initializer by shape, made when they are first asked for.

    Attributes:
        initializer: what is called.
        draws: by what; every seed derives from the run seed, its name, the shape and the number of the call.
    """

    def __init__(self, initializer: Initializer, seed: int) -> None:
        self.initializer = initializer
        self.draws = Draws(initializer, seed)
        self._kept: dict[Layer, Array] = {}

    def calls(self, layer: Layer, start: int, stop: int) -> Array:
        """Calls of these numbers as matrices, shape (calls, units, inputs).

        Raises:
            BrokenCall: the code raised, or returned no weights of the shape.
        """
        have = self._kept.get(layer)
        if have is None or len(have) < stop:
            seeds = self.draws.seeds(layer, DTYPE, _STREAM, 0 if have is None else len(have), stop)
            new = matrix_of(self._stacked(layer, seeds), layer)
            have = self._kept[layer] = new if have is None else np.concatenate([have, new])
        return have[start:stop]

    def seeded(self, layer: Layer, seeds: list[int]) -> Array:
        """Calls on seeds of the caller's choice, which are not kept."""
        return matrix_of(self._stacked(layer, seeds), layer)

    def _stacked(self, layer: Layer, seeds: list[int]) -> Array:
        stack = np.stack(self.draws.arrays(layer, DTYPE, seeds))
        return stack if stack.dtype in (np.float32, np.float64) else stack.astype(np.float32)
