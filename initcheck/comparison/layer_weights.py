"""A function of a shape against a layer: every weight of the built layer is a shape that the function is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from initcheck.comparison.shapes import Asked, takes
from initcheck.comparison.weights.tensors import ROWS_FIRST
from initcheck.contract.initializer import Initializer
from initcheck.contract.layer import Layer
from initcheck.diagnosis.evidence.axes import DENSE_OF, KERNELS_OF
from initcheck.errors import UsageError
from initcheck.layers.functions.layer_function import matrices
from initcheck.layers.sampler import LayerSampler

__all__ = ["WeightOfLayer", "asked_of_layer"]

_SIZES = {"quick": 3, "default": 6, "thorough": 16}
_STORED_OUT_IN = ("torch", "equinox")


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
    sizes = [number for number, size in enumerate(sampler.sizes) if not size.probe][: _SIZES[profile]]
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
