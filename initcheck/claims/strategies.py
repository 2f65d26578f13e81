"""Hypothesis strategies for layers, activations and depths; public, for claims of your own."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Literal

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from initcheck.contract.contract import ACTIVATIONS
from initcheck.contract.domain import make_layer
from initcheck.contract.layer import Layer

__all__ = ["activations", "depths", "layers", "smaller_layers", "walked", "walking"]

_WIDTHS = tuple(sorted({max(w, 1) for k in range(11) for w in (2**k - 1, 2**k, 2**k + 1)} | set(range(1, 11))))

# The engine decides which layers a property is asked about: the plan first, then smaller ones around a failure. A
# property is written once, at import, long before that, so its strategy looks here when it draws.
_Sources = tuple[SearchStrategy[Layer], SearchStrategy[Layer]]
_source: ContextVar[_Sources | None] = ContextVar("initcheck layers", default=None)


@contextlib.contextmanager
def walking(plan: SearchStrategy[Layer], every: SearchStrategy[Layer]) -> Iterator[None]:
    """Let ``layers()`` draw from ``plan`` and ``layers(every=True)`` from ``every``; the engine's, not the user's."""
    token = _source.set((plan, every))
    try:
        yield
    finally:
        _source.reset(token)


def layers(*, every: bool = False, layout: str = "out_in", largest: int = 65_536) -> SearchStrategy[Layer]:
    """Weight tensors: in a trial the initializer's own domain, elsewhere dense layers up to ``largest`` weights.

    ``every=True`` adds the many small layers that a claim decided by one call can afford.

    Shrinks toward the smallest shape.

    >>> from hypothesis import find
    >>> find(layers(), lambda layer: layer.fan_in > 3).shape
    (1, 4)
    """
    strategy = _layers(every, layout, largest)
    _every[strategy] = every
    return strategy


def walked(strategy: SearchStrategy[Layer]) -> Literal["plan", "every"] | None:
    """Which of a trial's finite lists a strategy draws from; None where it is no ``layers()`` as it was made.

    >>> walked(layers(every=True)), walked(layers().filter(lambda layer: layer.is_square))
    ('every', None)
    """
    every = _every.get(strategy)
    return None if every is None else "every" if every else "plan"


# A finite list is walked without a search; what a user derives from the strategy, by a filter or a map, is searched.
_every: weakref.WeakKeyDictionary[SearchStrategy[Layer], bool] = weakref.WeakKeyDictionary()


@st.composite
def _layers(draw: DrawFn, every: bool, layout: str, largest: int) -> Layer:
    source = _source.get()
    if source is not None:
        return draw(source[1] if every else source[0])
    inputs = draw(st.sampled_from(_WIDTHS))
    units = draw(st.sampled_from([w for w in _WIDTHS if w * inputs <= largest]))
    return make_layer(layout, inputs, units, (1, 1, 1), 1)


@st.composite
def smaller_layers(
    draw: DrawFn, around: Layer, layouts: Sequence[str], smallest: int, *, every_width: bool = False
) -> Layer:
    """Layers that are at most as large as one that failed, in every direction; that one itself every fourth time.

    Each size is an index into a sorted list whose upper half repeats the failing size: Hypothesis lowers indices,
    so it walks from the failing layer down to the smallest that still fails. The list holds the telling widths
    (powers of two and their neighbours); ``every_width`` takes all widths down to the next telling one instead.
    """
    layout = draw(st.sampled_from([layouts[0], *[around.layout] * 3]))

    def at_most(size: int, least: int = 1) -> int:
        below = [w for w in _WIDTHS if least <= w < size]
        if every_width and below:
            below = list(range(below[-1], size))
        width: int = draw(st.sampled_from([*below, *[size] * max(len(below), 1)]))
        return width

    inputs = at_most(around.channels, smallest)
    # A claim may be asked of squares only: two independent sizes would hardly ever give another square.
    square = around.channels == around.units and draw(st.sampled_from([False, True, True]))
    units = inputs if square else at_most(around.units // around.groups, smallest)
    around_kernel = [n for n, a in zip(around.shape, around.axes, strict=True) if a not in "oi"]
    kernel = tuple(at_most(n) for n in around_kernel) if layout == around.layout else ()
    return make_layer(layout, inputs, units, (*_in_axis_order(around, kernel), 1, 1, 1)[:3], around.groups)


def _in_axis_order(layer: Layer, kernel: tuple[int, ...]) -> tuple[int, ...]:
    """Kernel sizes given in the order of the layer's axes, in the order h, w, d that ``make_layer`` takes."""
    by_axis = dict(zip([a for a in layer.axes if a not in "oi"], kernel, strict=False))
    return tuple(by_axis.get(a, 1) for a in "hwd") if by_axis else ()


def activations() -> SearchStrategy[str]:
    """Names of activations; shrinks toward ``linear``."""
    return st.sampled_from(ACTIVATIONS)


def depths(largest: int = 50) -> SearchStrategy[int]:
    """Numbers of layers, at least 2."""
    return st.integers(2, largest)
