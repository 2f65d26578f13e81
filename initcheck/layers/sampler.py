"""A layer as a sampler: a call is one fresh layer, and its result the weights of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from initcheck.adapters.frameworks.compiled import Compiled
from initcheck.adapters.frameworks.sampler import SamplerBase
from initcheck.contract.initializer import Shape
from initcheck.layers.bench.builder import Builder
from initcheck.layers.bench.sizes import Size
from initcheck.layers.functions.layer_function import LayerFunction, matrices
from initcheck.sandbox.global_generators import isolated

__all__ = ["ALL_WEIGHTS", "LayerSampler"]

ALL_WEIGHTS = -1
"""In place of a weight's number: all weights of the layer, by their numbers."""

_WORTH_IT = 8  # builds that cost more than a compilation


@dataclass
class LayerSampler(SamplerBase):
    """What is asked for is (number of the size, number of the weight), in place of a shape.

    Attributes:
        builder: builds the layer.
        sizes: the sizes it may be built at.
        compiled: of a layer of JAX, builds by the batch.
    """

    builder: Builder = field(kw_only=True)
    sizes: tuple[Size, ...] = field(kw_only=True)
    compiled: Compiled = field(default_factory=Compiled, init=False, repr=False)

    def __post_init__(self) -> None:
        self.takes_randomness = self.builder.takes_randomness

    def source(self, seed: int) -> Any:
        """The seed itself; the builder makes a key of it, or the global generators are seeded with it."""
        return int(seed)

    def prepare(self, shape: Shape, dtype: str) -> Callable[[Any], Any]:
        """Build a layer and read the weight asked for."""
        number, weight = shape
        size = self.sizes[number]

        def call(seed: int) -> Any:
            found = matrices(self.builder.build(size, seed).parameters())
            return dict(enumerate(found.values())) if weight == ALL_WEIGHTS else list(found.values())[weight]

        return call

    def weights(self, shape: Shape, seeds: Sequence[int], dtype: str) -> list[Any]:
        """The same weights; many builds of a layer that is handed a key are compiled as one."""
        number, weight = shape
        if weight != ALL_WEIGHTS or not self.builder.is_keyed or (len(seeds) < _WORTH_IT and self.compiled.trusted is None):
            return self.calls(shape, seeds, dtype)
        size = self.sizes[number]
        about = size.inputs * size.outputs * math.prod(size.kernel)
        # By number: a traced dictionary comes back with its keys sorted, and the order is that of the layer.
        drawn = self.compiled.drawn(
            shape, dtype, seeds, self._of_seed, self.calls, weights=about, fits=lambda built: isinstance(built, dict)
        )
        return self.calls(shape, seeds, dtype) if drawn is None else drawn

    def _of_seed(self, shape: Shape, dtype: str) -> Callable[[Any], Any]:
        size = self.sizes[shape[0]]
        return lambda seed: dict(enumerate(matrices(self.builder.build(size, seed).traced).values()))  # type: ignore[attr-defined]

    def functions(self, size: Size, seeds: Sequence[int]) -> list[LayerFunction]:
        """Fresh layers as functions, one a seed."""
        number = self.sizes.index(size)
        call: Callable[[Any], Any] = lambda seed: self.builder.build(self.sizes[number], seed)  # noqa: E731
        if self.takes_randomness:
            with isolated(None):
                return [call(seed) for seed in seeds]
        return self._calls_on_globals(call, seeds)
