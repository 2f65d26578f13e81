"""Layers, built at some sizes, compared weight by weight: with another layer, or with a function of a shape."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from initcheck.comparison.models import compare_models
from initcheck.comparison.parts import Comparison, Terms
from initcheck.comparison.shapes import Asked, takes
from initcheck.comparison.weights.builds import Builds
from initcheck.comparison.weights.tensors import ROWS_FIRST, Tensor, tensor_of
from initcheck.contract.initializer import Initializer
from initcheck.contract.layer import Layer
from initcheck.diagnosis.evidence.axes import DENSE_OF, KERNELS_OF
from initcheck.errors import UsageError
from initcheck.layers.bench.sizes import Size
from initcheck.layers.functions.layer_function import matrices
from initcheck.layers.sampler import LayerSampler

_SIZES = {"quick": 2, "default": 4, "thorough": 8}
# Sizes whose weights are shapes for a function.
_SHAPED = {"quick": 3, "default": 6, "thorough": 16}
_STORED_OUT_IN = ("torch", "equinox")


def compare_layers(a: Initializer, b: Initializer, terms: Terms) -> Comparison:
    """Compare two layers as small models: each weight at each of a few sizes.

    Args:
        a, b: layers, of one framework or of two.
        terms: among them how many sizes, which share alpha.

    Raises:
        UsageError: there is no size that both are built at.
    """
    sizes = list(_common(a, b))[: _SIZES[terms.profile]]
    if not sizes:
        raise UsageError(
            f"{a.name} and {b.name} are not built at a size in common: give two functions (fan_in, fan_out) that"
            " build them."
        )
    found = []
    for x, y in sizes:
        mine, theirs = (_builds(one, size, terms.seed) for one, size in ((a, x), (b, y)))
        one = compare_models(mine, theirs, dataclasses.replace(terms, alpha=terms.alpha / len(sizes)))
        at = f" at {x}"
        parts = [
            dataclasses.replace(p, name=(p.name if p.name == p.partner else f"{p.name} = {p.partner}") + at, partner="")
            for p in one.parts
        ]
        found.append(dataclasses.replace(one, parts=parts, missing=tuple(m + at for m in one.missing)))
    return Comparison(
        parts=[part for one in found for part in one.parts],
        missing=tuple(m for one in found for m in one.missing),
        notes=tuple(dict.fromkeys(note for one in found for note in one.notes)),
        same_bits=min(one.same_bits for one in found),
        calls=sum(one.calls for one in found),
        weights=sum(one.weights for one in found),
    )


def _common(a: Initializer, b: Initializer) -> Iterator[tuple[Size, Size]]:
    """The sizes of A with the size of B that has the same widths, kernel and stride."""
    of = [one.sampler.sizes if isinstance(one.sampler, LayerSampler) else () for one in (a, b)]
    for x in of[0]:
        for y in of[1]:
            if not x.probe and not y.probe and _alike(x) == _alike(y):
                yield x, y
                break


def _alike(size: Size) -> tuple[object, ...]:
    return size.inputs, size.outputs, size.second, size.kernel, size.stride, size.lookup


def _builds(one: Initializer, size: Size, seed: int) -> Builds:
    sampler: Any = one.sampler
    builder = sampler.builder

    def build(seed: int) -> list[Tensor]:
        built = builder.build(size, seed)
        found = [tensor_of(path, builder.kind, values) for path, values in built.parameters().items()]
        # A module of PyTorch is known by its class: the biases of an LSTM are added.
        if builder.kind == "torch":
            return [dataclasses.replace(t, owner=_class_of(built.layer, t.path)) for t in found]
        return found

    return Builds(build, f"{one.name} at {size}", seed)


def _class_of(layer: Any, path: str) -> str:
    """The class of the module of PyTorch that holds a parameter."""
    for word in path.split(".")[:-1]:
        layer = getattr(layer, word, layer)
    return type(layer).__name__


@dataclass(frozen=True, order=True)
class WeightOfLayer(Layer):
    """One weight of a layer at one size; its sampler is asked for it by two numbers.

    Attributes:
        number: of the size.
        weight: of the weight among the layer's matrices.
        path: its name in the layer.
    """

    number: int = 0
    weight: int = 0
    path: str = ""

    @property
    def asked(self) -> tuple[int, ...]:
        """What a sampler is asked for: the numbers of the size and of the weight."""
        return self.number, self.weight

    @property
    def seeded_by(self) -> tuple[int, ...]:
        """The two numbers."""
        return self.number, self.weight


def asked_of_layer(function: Initializer, layer: Initializer, profile: str, *, layer_first: bool) -> Asked:
    """The weights of a layer at some sizes, and the shapes that a function is asked for in their place.

    A function whose layout is not known is taken to have that of the layer's framework.

    Args:
        function: of a shape.
        layer: a layer.
        profile: how many sizes.
        layer_first: whether the layer is A.

    Raises:
        UsageError: there is no weight whose shape the function takes.
    """
    weights = list(_weights(layer, profile))
    layout = function.contract.layout
    mine = None if layout is None else DENSE_OF.get(layout, layout)
    pairs = []
    for weight in weights:
        if takes(function, len(weight.shape)):
            asked = _laid_out(weight, mine or weight.layout)
            pairs.append((weight, asked) if layer_first else (asked, weight))
    names, said = list(dict.fromkeys(w.path for w in weights)), "AB" if layer_first else "BA"
    if not pairs:
        shapes = ", ".join(str(w.shape) for w in weights[:3]) or "none"
        raise UsageError(
            f"{function.name} takes none of the shapes of the weights of {layer.name} ({shapes}); compare two"
            " functions, or two layers."
        )
    notes = [
        f"{said[0]} is a layer: its {' and '.join(names)} as {said[1]}'s law; its other parameters are not compared"
    ]
    if mine is not None and any(x.layout != y.layout for x, y in pairs):
        notes.append(f"layouts aligned: A is {_words(pairs[0][0])}, B is {_words(pairs[0][1])}")
    elif mine is None:
        notes.append(
            f"the layout of {said[1]} is not known; it is asked for the same shapes (--layouts says otherwise)"
        )
    return Asked(tuple(pairs), tuple(notes))


def _weights(layer: Initializer, profile: str) -> Iterator[WeightOfLayer]:
    sampler = layer.sampler
    assert isinstance(sampler, LayerSampler)
    sizes = [number for number, size in enumerate(sampler.sizes) if not size.probe][: _SHAPED[profile]]
    for number in sizes:
        built = matrices(sampler.builder.build(sampler.sizes[number], 0).parameters())
        for weight, (path, array) in enumerate(built.items()):
            if array.ndim > 5:
                continue
            rows = path.rpartition("/")[2].rpartition(".")[2] in ROWS_FIRST
            dense = "out_in" if rows or sampler.builder.kind in _STORED_OUT_IN else "in_out"
            layout = dense if array.ndim == 2 else KERNELS_OF[dense, array.ndim]
            yield WeightOfLayer(tuple(map(int, array.shape)), layout, number=number, weight=weight, path=path)


def _laid_out(weight: WeightOfLayer, dense: str) -> Layer:
    """The same weight in the layout of the function."""
    layout = dense if len(weight.shape) == 2 else KERNELS_OF.get((dense, len(weight.shape)), weight.layout)
    sizes = dict(zip(weight.axes, weight.shape, strict=True))
    here = Layer(weight.shape, layout)
    return Layer(tuple(sizes[axis] for axis in here.axes), layout)


def _words(layer: Layer) -> str:
    return "(out, in)" if layer.axes.startswith("o") else "(in, out)"
