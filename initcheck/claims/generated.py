"""Networks that Hypothesis generates: widths that no plan names, each next to any other, and blocks that widen."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from hypothesis.internal.conjecture.data import ConjectureData
from hypothesis.strategies import SearchStrategy

from initcheck.contract.domain import Domain, make_layer
from initcheck.contract.layer import Layer

MOST_WEIGHTS = 8_192
"""Both sides of a layer are free as far as a glance at it stays cheap."""

_WIDEST = 1024
_DEPTH = 8
_WIDEST_KERNEL = 5
_MOST_EXPANSION = 8


class GeneratedNetworks(SearchStrategy[tuple[Layer, ...]]):
    """The layers of a network: eight of freely chosen widths, and two that widen and narrow by a small factor.

    Neither a number of layers nor an activation is drawn: an initializer is asked for one shape at a time and is told
    of neither. What it does at a shape is seen there, and through more layers of one law the log of an energy drifts in
    proportion to their number, so that no depth below the contract's shows what the contract's hides.

    >>> from hypothesis import find
    >>> from initcheck.contract.contract import Contract
    >>> from initcheck.contract.domain import domain_of
    >>> from initcheck.contract.profile import profile
    >>> networks = GeneratedNetworks(domain_of(Contract(layout="out_in"), profile("quick")))
    >>> [layer.shape for layer in find(networks, lambda layers: layers[0].shape[1] == 97)]
    [(1, 97), (1, 1), (90, 90)]

    Args:
        domain: its layouts, widths and groups are kept.
        depthwise: each unit sees one channel.
        squares: square matrices only.
        most: weights of one layer.
    """

    def __init__(
        self, domain: Domain, *, depthwise: bool = False, squares: bool = False, most: int = MOST_WEIGHTS
    ) -> None:
        super().__init__()
        self._domain = domain
        self._depthwise = depthwise
        self._squares = squares
        self._most = most

    def do_draw(self, data: ConjectureData) -> tuple[Layer, ...]:
        """Draw numbers one by one, without a strategy for each: Hypothesis then wastes no example on their exchange."""
        domain = self._domain
        layout = domain.layouts[data.draw_integer(0, len(domain.layouts) - 1)]
        # In the order of ``make_layer``; a dense layer has none of them.
        kernel = tuple(data.draw_integer(1, _WIDEST_KERNEL) if axis in layout else 1 for axis in "hwd")
        kernel = tuple(kernel[0] if axis in layout else 1 for axis in "hwd") if domain.equal_kernels else kernel
        paid = self._most // (math.prod(kernel) * domain.groups)
        smallest, widest = domain.widths[0], min(domain.widths[1], _WIDEST)

        def at_most(width: int) -> int:
            return max(smallest, min(widest, width))

        widths = [data.draw_integer(smallest, at_most(paid))]
        for _ in range(_DEPTH):
            widths.append(data.draw_integer(smallest, at_most(paid // widths[-1])))
        factor = data.draw_integer(1, _MOST_EXPANSION)
        narrow, wide = (min(w, max(1, math.isqrt(paid // factor))) for w in widths[:2])
        expanded = [(narrow, narrow * factor), (wide * factor, wide)]
        pairs = [
            *itertools.pairwise(widths),
            *((i, o) for i, o in expanded if smallest <= min(i, o) <= max(i, o) <= widest),
        ]
        if self._squares:
            pairs = [(w, w) for w in widths if w * w <= paid]
        if self._depthwise:
            pairs = [(1, units) for _, units in pairs]
        made = (make_layer(layout, i, o, kernel, domain.groups) for i, o in pairs)
        return tuple(dict.fromkeys(made))


def lighter_layers(than: Layer, domain: Domain, *, squares: bool = False) -> Iterator[Layer]:
    """Every layer of fewer weights in the usual layout or in that of ``than``, the lightest first.

    >>> from initcheck.contract.contract import Contract
    >>> from initcheck.contract.domain import domain_of
    >>> from initcheck.contract.profile import profile
    >>> domain = domain_of(Contract(layout="out_in"), profile("quick"))
    >>> [layer.shape for layer in lighter_layers(Layer((2, 2), "out_in"), domain)]
    [(1, 1), (1, 2), (2, 1), (1, 3), (3, 1)]
    """
    layouts = dict.fromkeys((domain.layouts[0], than.layout))
    smallest, widest = domain.widths
    for weights in range(1, than.weights):
        for layout in layouts:
            axes = {"out_in": "oi", "in_out": "io"}.get(layout, layout)
            for shape in _factored(weights, len(axes)):
                layer = Layer(shape, layout, domain.groups)
                sides = (layer.channels, layer.units // layer.groups)
                fits = layer.units % layer.groups == 0 and all(smallest <= side <= widest for side in sides)
                if fits and domain.takes_kernel(layer) and (not squares or sides[0] == sides[1]):
                    yield layer


def _factored(number: int, factors: int) -> Iterator[tuple[int, ...]]:
    """The ways to write a number as an ordered product, in the order of their first factors."""
    if factors == 1:
        yield (number,)
        return
    for first in range(1, number + 1):
        if number % first == 0:
            yield from ((first, *rest) for rest in _factored(number // first, factors - 1))
