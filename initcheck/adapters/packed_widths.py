"""Several matrices of one size in one weight: the gates of an LSTM, packed q, k and v, so many experts as are told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.adapters.declared_samplers import MembersSampler
from initcheck.adapters.frameworks.arrays import is_array, shape_of
from initcheck.adapters.frameworks.sampler import CallableSampler
from initcheck.adapters.signatures.parameters import parameters_of
from initcheck.contract.initializer import Sampler, Shape
from initcheck.sandbox.containment import InitializerRaised, contained
from initcheck.wording import listed

# A side that neither 2, 3 nor 4 divides, and sides that the number of matrices alone divides of these.
_SHAPES: tuple[Shape, ...] = ((5, 7), (11, 5))
_SQUARES: tuple[Shape, ...] = ((5, 5), (7, 7))
_COUNTS = (4, 3, 2)
_SIDE = 16
# Entries of matrices that are not equal by chance.
_TELLING = 64
# Names of numbers of matrices that share neither inputs nor units; heads may share either.
_NUMBERED = re.compile(r"expert|ensemble|member|stack|layer|block|group|branch|task|copies|replica|bank")


@dataclass(frozen=True)
class Packing:
    """How the matrices lie in a weight.

    Attributes:
        count: how many they are.
        axis: the axis along which they lie side by side, that of their units.
        asked_whole: the width asked for is that of all of them; else that of one, and the result is wider.
        numbered: the axis is one of its own, which numbers them: experts, members of an ensemble.
        layout: the meaning of the axes of one of them; None where nothing tells.
    """

    count: int
    axis: int
    asked_whole: bool = False
    numbered: bool = False
    layout: str | None = None

    @property
    def told(self) -> str:
        """What a reader of a verdict must know."""
        how = f"numbered by axis {self.axis}" if self.numbered else "side by side"
        return f"It makes {self.count} matrices {how}; each gives a share of the units judged."

    def wide(self, shape: Shape) -> Shape:
        """The shape of all of them, of the shape of one."""
        if self.numbered:
            return (*shape[: self.axis], self.count, *shape[self.axis :])
        return tuple(n * self.count if k == self.axis else n for k, n in enumerate(shape))


def packing_of(sampler: CallableSampler, roles: AbstractSet[str]) -> tuple[CallableSampler, Packing] | None:
    """The sampler of matrices that lie side by side, and how they lie; None where it makes a single one.

    Args:
        sampler: calls the function; one that passes widths is given their layout.
        roles: what its parameters stand for.
    """
    if not roles & {"shape", "in", "out", "rows", "cols", "side"}:
        return None
    shapes = _SQUARES if "side" in roles else _SHAPES
    for layout in ("in_out", "out_in") if roles & {"in", "out"} else (None,):
        asking = sampler if layout is None else replace(sampler, layout=layout)
        packing = _packing(asking, shapes)
        if packing is not None and layout in (None, packing.layout):
            return asking, packing
        defaults = {p.name: p.default for p in (parameters_of(sampler.function) or {}).values()}
        told = {**defaults, **sampler.fixed}
        counted = [n for name, n in told.items() if _NUMBERED.search(name) and type(n) is int and n > 1]
        for numbered in (Packing(n, axis, numbered=True, layout=layout) for n in counted for axis in (0, 1, 2)):
            if _makes(asking, shapes, numbered):
                return asking, numbered
    return None


def told_side(result: Any, asked: Shape, fixed: Mapping[str, Any]) -> str | None:
    """The numbers that were told and stand in the shape of an array in place of what was asked for, or beside that.

    >>> told_side(np.ones((4, 5, 7)), (5, 7), {"num_heads": 4}), told_side(np.ones((5, 8)), (5, 7), {"channels": 8})
    ('num_heads=4', 'channels=8')
    """
    returned = (shape_of(result) if is_array(result) else None) or ()
    told = {name: n for name, n in fixed.items() if isinstance(n, int) and not isinstance(n, bool)}
    added = [n for k in range(len(asked) + 1) for n in told.values() if returned == (*asked[:k], n, *asked[k:])]
    if len(returned) == len(asked):
        added = [a for a, b in zip(returned, asked, strict=True) if a != b]
    found = [f"{name}={n}" for name, n in told.items() if n in added]
    return listed(found, len(found)) if found and set(added) <= set(told.values()) else None


def _makes(sampler: Sampler, shapes: Sequence[Shape], packing: Packing) -> bool:
    return all(_made(sampler, shape) == packing.wide(shape) for shape in shapes)


def _packing(sampler: Sampler, shapes: Sequence[Shape]) -> Packing | None:
    """How many matrices lie side by side in what a sampler makes; None where it makes a single one.

    It returns so many times the units asked for, at two shapes; or it makes weights of such numbers of units alone
    that one number divides, of others returns fewer units or raises, and its variance does not go with their number:
    what divides by the units of all of them together is no law of each.
    """
    made = [_made(sampler, shape) for shape in shapes]
    layouts = {1: "in_out", 0: "out_in"}
    every = [Packing(n, k, whole, layout=layouts[k]) for whole in (False, True) for n in _COUNTS for k in layouts]
    for packing in every:
        wide = [packing.wide(shape) for shape in shapes]
        if not packing.asked_whole and made == wide:
            return packing
        alone = packing.asked_whole and not any(m == s for m, s in zip(made, shapes, strict=True))
        if alone and [_made(sampler, shape) for shape in wide] == wide and _keeps_its_variance(sampler, packing):
            return packing
    return None


def _keeps_its_variance(sampler: Sampler, packing: Packing) -> bool:
    """Whether many units have the variance of few, beside the same inputs."""
    few, many = (packing.wide(s if packing.axis else s[::-1]) for s in ((_SIDE, _SIDE), (_SIDE, 8 * _SIDE)))
    moments = []
    for shape in (few, many):
        try:
            with contained():
                drawn = [np.asarray(sampler.to_numpy(r), float) for r in sampler.calls(shape, range(8), "float32")]
        except (InitializerRaised, TypeError):
            return False
        moments.append(float(np.mean(np.square(drawn))))
    return 0.7 * moments[0] < moments[1] < 1.4 * moments[0]


def _made(sampler: Sampler, shape: Shape) -> Shape | None:
    """The shape of what is returned where one is asked for; None where it raises or is no array."""
    try:
        with contained():
            [result] = sampler.calls(shape, [12345], "float32")
    except InitializerRaised:
        return None
    return shape_of(result) if is_array(result) else None


@dataclass
class PackedSampler(MembersSampler):
    """One matrix of those that lie side by side: its units come from each of them in turn."""

    packing: Packing

    def asked(self, shape: Shape) -> Shape:
        """So many units that each of the matrices has those of the shape."""
        return self.packing.wide(shape) if self.packing.asked_whole else shape

    def returned(self, shape: Shape) -> Shape:
        """The shape of all of them."""
        return self.packing.wide(shape)

    def members(self, weights: npt.NDArray[Any]) -> Sequence[npt.NDArray[Any]]:
        """The matrices."""
        if self.packing.numbered:
            every = list(np.moveaxis(weights, self.packing.axis, 0))
            first = every[0]
            if self.packing.layout is None and first.size >= _TELLING and all(np.array_equal(first, m) for m in every):
                # Equal on either side, for nothing tells which is that of the units.
                rows, columns = first.shape
                return [np.tile(first[: -(-rows // 2), : -(-columns // 2)], (2, 2))[:rows, :columns]]
            return every
        return np.split(weights, self.packing.count, axis=self.packing.axis)

    def unit_axis(self) -> int:
        """The axis of the units of one."""
        return 0 if self.packing.layout == "out_in" else 1
