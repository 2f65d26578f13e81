"""A built layer as a function of its parameters and inputs, whatever its framework."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy.typing as npt

from initcheck.contract.contract import Contract

Array = npt.NDArray[Any]


class LayerFunction(Protocol):
    """One fresh layer. Nothing it is asked changes it.

    Attributes:
        layer: the framework's own object.
    """

    layer: Any

    def parameters(self) -> dict[str, Array]:
        """Every trainable parameter by name, in the framework's order."""

    def contracts(self) -> dict[str, Contract]:
        """What the initializer of a parameter promises, where the layer says which one it is."""

    def prepared(self) -> LayerFunction:
        """The same function, made to be run many times."""

    def run(self, parameters: Mapping[str, Array], args: Sequence[Any]) -> Array:
        """The first array that it puts out, with these parameters in place of its own."""

    def pull(
        self, parameters: Mapping[str, Array], args: Sequence[Any], cotangent: Array
    ) -> tuple[list[Array], dict[str, Array]]:
        """Gradients of <output, cotangent> in every input array and in every parameter."""


def matrices(parameters: Mapping[str, Array]) -> dict[str, Array]:
    """The weights among the parameters: two axes or more, and no bias.

    >>> import numpy as np
    >>> list(matrices({"weight": np.ones((2, 3)), "in_proj_bias": np.ones((1, 3)), "scale": np.ones(3)}))
    ['weight']
    """
    return {name: array for name, array in parameters.items() if array.ndim >= 2 and "bias" not in name.lower()}
