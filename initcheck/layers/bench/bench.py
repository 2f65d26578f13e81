"""A layer on the bench: fed random or constant inputs, with its own weights or with ours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.layers.bench.feeds import Feed
from initcheck.layers.bench.sizes import Size
from initcheck.layers.functions.layer_function import LayerFunction, matrices
from initcheck.sandbox.pulse import beat

Array = npt.NDArray[Any]


@dataclass
class Bench:
    """One built layer, with everything that is no weight of it set aside.

    Attributes:
        function: the layer.
        feed: how it is called.
        size: how it was built.
        rng: where our weights and inputs come from.
        idle: names of matrices that are no weights: nothing that the layer puts out depends on them.
    """

    function: LayerFunction
    feed: Feed
    size: Size
    rng: np.random.Generator
    idle: Collection[str] = ()
    own: dict[str, Array] = field(init=False)

    def __post_init__(self) -> None:
        self.own = self.function.parameters()

    @property
    def weights(self) -> dict[str, Array]:
        """The layer's weights, at the values that it gave them."""
        return {name: w for name, w in matrices(self.own).items() if name not in self.idle}

    @property
    def ones(self) -> dict[str, Array]:
        """Every weight 1, no bias."""
        return self.with_weights({name: np.ones_like(w) for name, w in self.weights.items()})

    def random(self, *, positive: bool = False, scale: float = 0.5) -> dict[str, Array]:
        """Weights of ours: normal, or uniform on [0.5, 1.5]; no bias."""
        ours = {}
        for name, weight in self.weights.items():
            drawn = self.rng.uniform(0.5, 1.5, weight.shape) if positive else self.rng.normal(0, scale, weight.shape)
            ours[name] = drawn.astype(np.float32)
        return self.with_weights(ours)

    def with_weights(self, ours: Mapping[str, Array]) -> dict[str, Array]:
        """Parameters for a structure run: these weights, biases 0, the rest (the scale of a norm) as it was."""
        found = {}
        for name, value in self.own.items():
            if name in ours:
                found[name] = ours[name]
            else:
                found[name] = np.zeros_like(value) if "bias" in name.lower() else value
        return found

    def shapes(self, batch: int, extent: int = 9) -> tuple[tuple[int, ...], ...]:
        """Shapes of its inputs."""
        return self.feed.shapes(self.size, batch, extent)

    def normal(self, batch: int, extent: int = 9) -> list[Array]:
        """Standard normal inputs; a sequence that is fed several times over is the same one each time."""
        shapes = self.shapes(batch, extent)
        first = self.rng.standard_normal(shapes[0]).astype(np.float32)
        if self.feed.copies > 1 and self.feed.form != "cell":
            return [first] * len(shapes)
        return [first, *(self.rng.standard_normal(s).astype(np.float32) for s in shapes[1:])]

    def run(self, parameters: Mapping[str, Array], inputs: Sequence[Array]) -> Array:
        """The output."""
        made = np.asarray(self.function.run(parameters, self.feed.arranged(inputs)), dtype=np.float64)
        beat()
        return made

    def pull(
        self, parameters: Mapping[str, Array], inputs: Sequence[Array], cotangent: Array
    ) -> tuple[list[Array], dict[str, Array]]:
        """Gradients in the inputs and the parameters."""
        of_inputs, of_parameters = self.function.pull(parameters, self.feed.arranged(inputs), cotangent)
        beat()
        return of_inputs[: len(inputs)], of_parameters
