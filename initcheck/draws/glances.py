"""A few hundred weights of a layer, looked at once for all claims, and how far a value lies beyond its band there."""

from __future__ import annotations

import math

from initcheck.contract.layer import Layer
from initcheck.draws.draws import BrokenCall, Draws
from initcheck.draws.streams import SCREEN
from initcheck.statistics import Record

__all__ = ["Far", "Glances"]

# Weights of a glance: 1.5 times an edge of a band is seen, in a normal law by 6 standard errors.
_WEIGHTS = 512


class Glances:
    """What the first few hundred weights of a layer gave, which a judgement of the same layer reads first.

    Attributes:
        draws: where they are drawn, from the stream that screens read.
    """

    def __init__(self, draws: Draws) -> None:
        self.draws = draws
        self._seen: dict[tuple[Layer, str], Record | BrokenCall] = {}

    def at(self, layer: Layer, dtype: str, *, constant: bool) -> Record:
        """The sums of these weights; of one call where every call gives the same.

        Raises:
            BrokenCall: a call gave no finite weights of the shape that was asked for.
        """
        key = (layer, dtype)
        if key not in self._seen:
            self._seen[key] = self._look(layer, dtype, 1 if constant else math.ceil(_WEIGHTS / layer.weights))
        found = self._seen[key]
        if isinstance(found, BrokenCall):
            raise found
        return found

    def _look(self, layer: Layer, dtype: str, calls: int) -> Record | BrokenCall:
        try:
            record = self.draws.records(layer, dtype, SCREEN, calls)
        except BrokenCall as broken:
            return broken
        broken_weights = self.draws.nonfinite.get((layer, dtype))
        return record if broken_weights is None else BrokenCall("not finite", broken_weights)


class Far(dict[Layer, float]):
    """How far beyond its band the value of a claim lay at each layer glanced at, as the logarithm of their ratio.

    Nothing is decided by it: the claim itself is asked where this is furthest.

    >>> far = Far()
    >>> far.add(Layer((8, 100), "out_in"), 2.5, (0.8, 1.25))
    >>> [round(math.exp(by), 2) for by in far.values()]
    [2.0]
    """

    def add(self, layer: Layer, value: float, within: tuple[float, float]) -> None:
        """Keep what a glance gave; infinitely far where the value is no positive number."""
        lo, hi = within
        self[layer] = max(math.log(value / hi), math.log(lo / value)) if 0 < value < math.inf else math.inf
