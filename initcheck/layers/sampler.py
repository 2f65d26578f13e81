"""A layer as a sampler: a call is one fresh layer, and its result the weights of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from initcheck.adapters.frameworks.sampler import SamplerBase
from initcheck.contract.initializer import Shape
from initcheck.layers.bench.builder import Builder
from initcheck.layers.bench.sizes import Size
from initcheck.layers.functions.layer_function import LayerFunction, matrices
from initcheck.sandbox.global_generators import isolated

__all__ = ["ALL_WEIGHTS", "LayerSampler"]

ALL_WEIGHTS = -1
"""In place of a weight's number: all weights of the layer, by name."""


@dataclass
class LayerSampler(SamplerBase):
    """What is asked for is (number of the size, number of the weight), in place of a shape.

    Attributes:
        builder: builds the layer.
        sizes: the sizes it may be built at.
    """

    builder: Builder = field(kw_only=True)
    sizes: tuple[Size, ...] = field(kw_only=True)

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
            return found if weight == ALL_WEIGHTS else list(found.values())[weight]

        return call

    def functions(self, size: Size, seeds: Sequence[int]) -> list[LayerFunction]:
        """Fresh layers as functions, one a seed."""
        number = self.sizes.index(size)
        call: Callable[[Any], Any] = lambda seed: self.builder.build(self.sizes[number], seed)  # noqa: E731
        if self.takes_randomness:
            with isolated(None):
                return [call(seed) for seed in seeds]
        return self._calls_on_globals(call, seeds)
