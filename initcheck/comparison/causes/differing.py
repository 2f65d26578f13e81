"""Two starts that differ: what their calls and the pairs of them show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from initcheck.comparison.causes.places import Places
from initcheck.comparison.causes.sides import Side

NEAR = 0.02
"""Factors between variances that are this near are one."""

# Standard errors that one ratio must be off: that something differs is shown before this is asked.
_SHOWN = 3.0


@dataclass(frozen=True)
class Sides:
    """What is known of two starts that differ.

    Attributes:
        a, b: what the calls of each show.
        feature: in what the pairs differ where they are clearest, in words.
        kinds: the kinds of the features that differ clearly, the clearest first.
        ratios: at each shape that differs, E w^2 of B over that of A, and the standard error of its logarithm.
        shape: the one shape, units first, of a role of a model.
        packed: where one side holds this piece in a larger matrix, which side, and that matrix' shape.
        blocks: of the model, where the role has a tensor in each.
        pieces: E w^2 of B over A's by halves, thirds or quarters of the rows.
        places: of a role of a model, its tensors and rows on both sides.
        worlds: of each side, how many ranks hold it together; None where one does.
        repeats: of each side, whether the shards of its ranks hold the same random numbers.
        stacks: of each side, how many layers or experts the tensor holds that this was taken out of.
        widespread: most matrices of the blocks of the model differ by the ratio of this one.
        shared: of each side, how many shapes of the model's matrices a formula of the variance fits.
    """

    a: Side
    b: Side
    feature: str
    kinds: tuple[str, ...]
    ratios: tuple[tuple[float, float], ...]
    shape: tuple[int, ...] = ()
    packed: tuple[str, tuple[int, ...]] | None = None
    blocks: int = 0
    pieces: tuple[float, ...] = ()
    places: Places | None = None
    worlds: tuple[int | None, ...] = (None, None)
    repeats: tuple[bool, ...] = (False, False)
    stacks: tuple[int, int] = (1, 1)
    widespread: bool = False
    shared: tuple[Mapping[str, int], Mapping[str, int]] = ({}, {})

    @property
    def ratio(self) -> float | None:
        """The one ratio of variances, where it is the same at every shape: each counts by how well it is known."""
        if not self.ratios or not all(0 < r < math.inf for r, _ in self.ratios):
            return None
        middle, error = self._middle
        off = any(abs(math.log(r) - middle) > max(NEAR, 5 * known) for r, known in self.ratios)
        return None if off or error == math.inf else math.exp(middle)

    @property
    def _middle(self) -> tuple[float, float]:
        """The logarithm of the one ratio, and its standard error: each shape counts by how well it is known."""
        weights = [1 / (known + 1e-3) ** 2 for _, known in self.ratios]
        if not sum(weights):
            return 0.0, math.inf
        middle = sum(w * math.log(r) for w, (r, _) in zip(weights, self.ratios, strict=True)) / sum(weights)
        return middle, 1 / math.sqrt(sum(weights))

    @property
    def scaled(self) -> bool:
        """Whether the variances differ beyond what an estimate of them may."""
        if self.ratio is not None:
            middle, error = self._middle
            return abs(middle) > max(NEAR, _SHOWN * error)
        return any(not 0 < r < math.inf or abs(math.log(r)) > max(NEAR, 5 * error) for r, error in self.ratios)
