"""What a layer is fed: rows, images, sequences, or an input beside a state, whichever it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from initcheck.layers.bench.sizes import Size

TOKENS = 2
"""Input vectors of a run that asks what a weight sums over: a gradient's row space then has at most this rank."""

LOOKUPS = frozenset({"Embedding", "Embed", "EmbeddingBag"})
"""Layers that are fed whole numbers, whatever built them: a row is looked up, nothing is summed."""


@dataclass(frozen=True)
class Feed:
    """One way of calling a layer.

    Attributes:
        form: ``rows``, ``image``, ``tokens``, ``cell``, ``lookup``.
        kind: the framework's kind, which decides where the channels stand.
        copies: how many inputs of the same width it takes; of a cell the arrays of its state.
        axes: spatial axes of an image.
        time_first: whether a sequence is (time, batch, width).
    """

    form: str
    kind: str
    copies: int = 1
    axes: int = 0
    time_first: bool = False

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
    name = (layer if isinstance(layer, type) else type(layer)).__name__
    if size.lookup or name in LOOKUPS:
        yield Feed("lookup", kind)
        return
    if name.endswith("Cell"):
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
