"""What a layer is fed: rows, images, sequences, or an input beside a state, whichever it takes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.adapters.signatures import names
from initcheck.layers.bench.sizes import Size

TOKENS = 2
"""Input vectors of a run that asks what a weight sums over: a gradient's row space then has at most this rank."""

LOOKUPS = frozenset({"Embedding", "Embed", "EmbeddingBag"})
"""Layers that are fed whole numbers, whatever built them: a row is looked up, nothing is summed."""

Array = npt.NDArray[Any]

NEIGHBOURS = "neighbours"


def _neighbours(x: Array) -> Array:
    """A graph of nodes without edges: each is its own only neighbour, and what is done to nodes is done to rows."""
    return np.broadcast_to(np.eye(x.shape[-2], dtype=np.float32), (*x.shape[:-1], x.shape[-2]))


def _edges(x: Array) -> Array:
    """The same graph as pairs of nodes."""
    return np.tile(np.arange(x.shape[-2], dtype=np.int64), (2, 1))


def _labels(x: Array) -> Array:
    return np.zeros(len(x), np.int64)


_BESIDE: dict[str, Callable[[Array], Array]] = {NEIGHBOURS: _neighbours, "edges": _edges, "labels": _labels}
# Parameters of a layer's call that are handed something fixed beside what is computed with.
_NAMES_BESIDE = {
    NEIGHBOURS: names.NEIGHBOURS,
    "edges": re.compile(r"edge_?ind(ex|ices)|edge_list"),
    "labels": re.compile(r"labels?|targets?"),
}
# Of a cell whose class is not called one: what it was at the last step.
_STATE = re.compile(r"h|hx|h_?prev|prev_?h|h_?0|hidden(_state)?|(prev_?)?state|carry")


@dataclass(frozen=True)
class Feed:
    """One way of calling a layer.

    Attributes:
        form: ``rows``, ``image``, ``tokens``, ``cell``, ``lookup``.
        kind: the framework's kind, which decides where the channels stand.
        copies: how many inputs of the same width it takes; of a cell the arrays of its state.
        axes: spatial axes of an image.
        time_first: whether a sequence is (time, batch, width).
        beside: what its call takes behind its inputs that is none: the neighbours of each row, its label.
    """

    form: str
    kind: str
    copies: int = 1
    axes: int = 0
    time_first: bool = False
    beside: tuple[str, ...] = ()

    @property
    def channel_axis(self) -> int:
        """Where the channels stand in what it is fed and gives."""
        return 1 if self.form == "image" and self.kind in ("torch", "equinox") else -1

    def shapes(self, size: Size, batch: int, extent: int = 9) -> tuple[tuple[int, ...], ...]:
        """The shapes of its inputs; ``extent`` is the length of every spatial axis."""
        if self.form == "image":
            positions = (extent,) * self.axes
            last = self.channel_axis == -1
            return ((batch, *positions, size.inputs) if last else (batch, size.inputs, *positions),)
        if self.form == "lookup":
            return ((batch,),)
        if self.form == "cell":
            return ((batch, size.inputs), *((batch, size.outputs),) * self.copies)
        if self.form == "tokens":
            one = (TOKENS, batch, size.inputs) if self.time_first else (batch, TOKENS, size.inputs)
            return (one,) * self.copies
        widths = (size.inputs, size.second) if size.second else (size.inputs,) * self.copies
        return tuple((batch, width) for width in widths)

    def arranged(self, inputs: Sequence[Any]) -> tuple[Any, ...]:
        """The arguments of the call."""
        if self.beside:
            given = (*inputs, *(_BESIDE[kind](inputs[0]) for kind in self.beside))
            return (list(given),) if self.kind == "keras" else given
        if self.form != "cell":
            return tuple(inputs)
        x, *state = inputs
        if self.kind == "keras":
            return (x, list(state))
        held: Any = state[0] if self.copies == 1 else tuple(state)
        return (held, x) if self.kind in ("linen", "nnx") else (x, held)


def feeds(kind: str, size: Size, layer: Any, axes: int) -> Iterator[Feed]:
    """Every way of calling a layer that its kind allows, the most telling first.

    Args:
        kind: the framework's kind.
        size: what it was built with.
        layer: the layer, or the class of it.
        axes: spatial axes that the rank of its weights suggests; 0 for none.
    """
    cls = layer if isinstance(layer, type) else type(layer)
    name = cls.__name__
    if size.lookup or name in LOOKUPS:
        yield Feed("lookup", kind)
        return
    required = _required(cls, kind)
    beside = _told_beside(required)
    if beside:
        yield from _with(kind, beside)
    cell = name.endswith("Cell") or any(_STATE.fullmatch(n) for n in required)
    if cell:
        yield from (Feed("cell", kind, copies) for copies in (1, 2))
    if size.kernel or axes > 0:
        yield Feed("image", kind, axes=axes if axes > 0 else len(size.kernel))
    if kind == "keras" and _needs_steps(layer):
        yield Feed("tokens", kind)
    yield Feed("rows", kind)
    if size.second:
        return
    orders = _time_orders(kind, layer)
    for copies in (1, 2, 3):
        yield from (Feed("tokens", kind, copies, time_first=first) for first in orders)
    yield from (Feed("rows", kind, copies) for copies in (2, 3))
    if not (size.kernel or axes > 0):
        # What weighs the channels of an image has no kernel.
        yield from (Feed("image", kind, axes=of_image) for of_image in (2, 1, 3))
    if not beside:
        yield from _with(kind, (NEIGHBOURS,))


def _with(kind: str, beside: tuple[str, ...]) -> Iterator[Feed]:
    """Rows as the nodes of one graph, where nothing cuts a batch into pieces; and a graph for each sample."""
    if kind == "torch" or set(beside) == {"labels"}:
        yield Feed("rows", kind, beside=beside)
    if "edges" not in beside:
        yield Feed("tokens", kind, beside=beside)


def _required(cls: type, kind: str) -> list[str]:
    """The names of what the call of a layer requires behind its first argument."""
    called = getattr(cls, {"torch": "forward", "keras": "call"}.get(kind, "__call__"), None)
    try:
        parameters = list(inspect.signature(called).parameters.values())[2:] if called is not None else []
    except (TypeError, ValueError):
        return []
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name.lower() for p in parameters if p.default is p.empty and p.kind in by_position]


def _told_beside(required: Sequence[str]) -> tuple[str, ...]:
    """What is handed beside the inputs, where each name says it; else nothing."""
    found = [next((k for k, words in _NAMES_BESIDE.items() if words.fullmatch(name)), "") for name in required]
    return tuple(found) if all(found) else ()


def _needs_steps(layer: Any) -> bool:
    spec = getattr(layer, "input_spec", None)
    spec = spec[0] if isinstance(spec, (list, tuple)) and spec else spec
    return getattr(spec, "ndim", None) == 3


def _time_orders(kind: str, layer: Any) -> tuple[bool, ...]:
    """Torch's own layers put time first unless they were told otherwise; everybody else puts the batch first."""
    if kind != "torch":
        return (False,)
    told = {bool(m.batch_first) for m in layer.modules() if hasattr(m, "batch_first")}
    return (True,) if told == {False} else (False,)
