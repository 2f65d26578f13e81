"""A layer as a sampler: a call is one fresh layer, and its result the weights of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.adapters.code.reach import keeps_between_calls
from initcheck.adapters.frameworks.cheaply_compiled import own_calls_compiled_cheaply
from initcheck.adapters.frameworks.compiled import Compiled, Kind
from initcheck.adapters.frameworks.sampler import SamplerBase
from initcheck.adapters.signatures.arguments import framework_module
from initcheck.contract.initializer import Shape
from initcheck.layers.bench.builder import Builder
from initcheck.layers.bench.sizes import Size
from initcheck.layers.functions.jax_function import JaxFunction
from initcheck.layers.functions.layer_function import LayerFunction, matrices

Array = npt.NDArray[Any]

ALL_WEIGHTS = -1
"""In place of a weight's number: all weights of the layer, by their numbers."""
# Seeds at which a layer that is drawn again is compared with one that is built.
_COMPARED = range(5)


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
    _rest: dict[int, Any] = field(default_factory=dict, init=False, repr=False)
    _prepared: dict[int, JaxFunction] = field(default_factory=dict, init=False, repr=False)
    _redraws: dict[int, Callable[[int], dict[int, Array]] | None] = field(default_factory=dict, init=False, repr=False)
    _places: dict[int, list[int] | None] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self.takes_randomness = self.builder.takes_randomness
        self.compiled.keeps = self.builder.is_traced and keeps_between_calls(self.builder.maker.target)

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
        """The same weights; builds of a layer that is handed a key are compiled as one, one of torch is redrawn."""
        number, weight = shape
        if (redraw := self._redrawn(number)) is not None:
            again = self._each_anew([(redraw, seeds)])[0]
            return again if weight == ALL_WEIGHTS else [weights[weight] for weights in again]
        built = self._compiled(self.sizes[number], seeds) if weight == ALL_WEIGHTS or self.compiled.trusted else None
        if built is None:
            return super().weights(shape, seeds, dtype)
        if number not in self._places:
            self._places[number] = self._places_of_weights(number, built[0]) if built else None
        places = self._places[number]
        if places is not None:
            found = [[leaves[place] for place in places] for leaves in built]
        else:
            found = [list(matrices(self._joined(number, leaves).parameters()).values()) for leaves in built]
        return [dict(enumerate(weights)) if weight == ALL_WEIGHTS else weights[weight] for weights in found]

    def _redrawn(self, number: int) -> Callable[[int], dict[int, Array]] | None:
        """How one layer of this size is drawn again and again, where some builds have the same weights bit for bit."""
        if number not in self._redraws:
            redraw = self.builder.redraw(self.sizes[number])
            if redraw is not None:
                built, again = (
                    self._each_anew([(call, _COMPARED)])[0]
                    for call in (self.prepare((number, ALL_WEIGHTS), ""), redraw)
                )
                redraw = redraw if all(map(_are_equal, built, again)) else None
            self._redraws[number] = redraw
        return self._redraws[number]

    def functions(self, size: Size, seeds: Sequence[int]) -> list[LayerFunction]:
        """Fresh layers as functions, one a seed."""
        built = self._compiled(size, seeds)
        if built is not None:
            number = self.sizes.index(size)
            return [self._run_as_one(number, self._joined(number, leaves), len(leaves)) for leaves in built]
        call: Callable[[Any], Any] = lambda seed: self.builder.build(size, seed)  # noqa: E731
        return self._each_anew([(call, seeds)])[0]

    def _run_as_one(self, number: int, function: JaxFunction, arrays: int) -> LayerFunction:
        """A build that is run by what is compiled once for all of its size: step by step each would cost as much."""
        if len(function.parameters()) < arrays:
            return function  # what is no parameter, such as an order of channels, is another one in each build
        if number not in self._prepared:
            self._prepared[number] = function.prepared()
        return function.run_as(self._prepared[number])

    def _compiled(self, size: Size, seeds: Sequence[int]) -> list[list[Array]] | None:
        """The arrays of fresh layers, which ``_joined`` makes layers of."""
        if not self.builder.is_traced:
            return None
        flatten = framework_module("jax").tree_util.tree_flatten

        def of_source(shape: Shape, dtype: str) -> Callable[[Any], Any]:
            parts = self.builder.traced(self.sizes[shape[0]])

            def call(source: Any) -> Any:
                arrays, rest = parts(source)
                leaves, tree = flatten(arrays)
                self._rest[shape[0]] = tree, rest
                return leaves

            return call

        def own(shape: Shape, few: Sequence[int], dtype: str) -> list[Any]:
            call: Callable[[Any], Any] = lambda seed: flatten(self.builder.parts(self.sizes[shape[0]], seed)[0])[0]  # noqa: E731
            with own_calls_compiled_cheaply():
                return self._each_anew([(call, few)])[0]

        number = self.sizes.index(size)
        return self.compiled.drawn(
            (number,),
            "",
            seeds,
            of_source,
            own,
            sources=self.builder.sources,
            of=self._kind,
            # Called as the user would anyway; the first one is built to find the axes alone.
            compared_at=(min(1, len(self.sizes) - 1),),
        )

    def _joined(self, number: int, leaves: Sequence[Array]) -> JaxFunction:
        tree, rest = self._rest[number]
        return self.builder.joined(tree.unflatten(leaves), rest)

    def _places_of_weights(self, number: int, leaves: Sequence[Array]) -> list[int] | None:
        """Which of its arrays the weights of a layer are: making a layer of them takes longer than drawing them."""
        weights = matrices(self._joined(number, leaves).parameters()).values()
        places = [[place for place, leaf in enumerate(leaves) if leaf is weight] for weight in weights]
        return [place for [place] in places] if all(len(found) == 1 for found in places) else None

    def _kind(self, shape: Shape) -> Kind:
        size = self.sizes[shape[0]]

        def fits(built: Sequence[Any]) -> bool:
            some = [np.zeros(leaf.shape, leaf.dtype) for leaf in built]
            return self.builder.is_whole(self._joined(shape[0], some), size)

        return Kind(size.inputs * size.outputs * math.prod(size.kernel), fits)


def _are_equal(built: dict[int, Array], redrawn: dict[int, Array]) -> bool:
    return built.keys() == redrawn.keys() and all(np.array_equal(w, redrawn[place]) for place, w in built.items())
