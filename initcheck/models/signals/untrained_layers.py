"""What the parameters without a gradient are waiting for, of any framework."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from initcheck.models.signals.signal import Untrained

Left = Mapping[str, tuple[tuple[int, ...], bool | None]]

# So far below that of most others a gradient may be rounding alone.
_FAINT = 1e-4
# In double precision rounding is smaller by nine digits, and what is small for another reason is as large as before.
_LEFT_OF_ROUNDING = 1e-3
# Elsewhere, such as with another batch, the same rounding is no larger than this many times.
_ROUNDING_ELSEWHERE = 100.0


def faint(sizes: Mapping[str, float | None], shapes: Mapping[str, tuple[int, ...]]) -> list[str]:
    """Of gradients those so small beside the others that rounding may have made them.

    That of a vector beside a matrix of its layer tells nothing that the matrix does not: of a bias before a norm it is
    rounding by design.

    >>> sizes = {"a.weight": 1.0, "b.weight": 0.5, "c.weight": 1e-9, "a.bias": 1e-9, "d.weight": None}
    >>> faint(sizes, {name: (2,) if "bias" in name else (2, 2) for name in sizes})
    ['c.weight']

    Args:
        sizes: name -> the largest entry of a gradient, None where there is none.
        shapes: name -> shape of what it is the gradient of.
    """
    usual = statistics.median([size for size in sizes.values() if size] or [0.0])
    matrices = {owner_of(n) for n, shape in shapes.items() if is_matrix(n, shape)}
    return [
        n
        for n, size in sizes.items()
        if size and size < _FAINT * usual and (is_matrix(n, shapes[n]) or owner_of(n) not in matrices)
    ]


def rounding(sizes: Mapping[str, float], in_double: Mapping[str, float]) -> dict[str, float]:
    """Of faint gradients those that are rounding alone, and up to what size they count as none.

    A router whose one weight is divided by itself has such a gradient: one, whatever the router says.

    >>> rounding({"gate": 3e-8, "small": 3e-8}, {"gate": 5e-17, "small": 3e-8})
    {'gate': 2.9999999999999997e-06}
    """
    return {n: _ROUNDING_ELSEWHERE * size for n, size in sizes.items() if in_double[n] < _LEFT_OF_ROUNDING * size}


class Heard(NamedTuple):
    """What a layer made in a run.

    Attributes:
        units: how many it has.
        above: whether any entry was above zero.
        below: whether any was below zero.
        levels: whether it made one thing of examples that differ.
    """

    units: int = 1
    above: bool = True
    below: bool = True
    levels: bool = False

    def beside(self, other: Heard | None) -> Heard:
        """The same of two runs of one layer."""
        if other is None:
            return self
        signs = self.above or other.above, self.below or other.below
        return Heard(self.units, *signs, self.levels and other.levels)


def owner_of(name: str) -> str:
    """The layer that holds a parameter; '' for the model itself."""
    return name.rpartition(".")[0]


def is_matrix(name: str, shape: tuple[int, ...]) -> bool:
    """Whether a parameter is no vector; a bias is one in Flax too, where attention gives it the axes of its heads.

    >>> is_matrix("attention.key.kernel", (48, 4, 12)), is_matrix("attention.key.bias", (4, 12))
    (True, False)
    """
    return len(shape) > 1 and name.rpartition(".")[2] != "bias"


def closed(left: Left, trained: Iterable[str], heard: Mapping[str, Heard]) -> list[str]:
    """Layers that may be shut: they have matrices, none of them with a gradient, and made nothing above zero.

    What is given zeros alone makes nothing below zero either: it waits for another, where there is one.

    >>> left = {"gate.weight": ((8, 4), True), "after.weight": ((8, 8), True)}
    >>> closed(left, left, {"gate": Heard(8, above=False), "after": Heard(8, above=False, below=False)})
    ['gate']
    """
    moved = {owner_of(n) for n in trained if n not in left}
    matrices = {n: part for n, (shape, part) in left.items() if is_matrix(n, shape)}
    owners = dict.fromkeys(owner_of(n) for n, part in matrices.items() if part is not False)
    found = [o for o in owners if o in heard and o not in moved and not heard[o].above]
    return [o for o in found if heard[o].below] or found


def sorted_out(
    left: Left, trained: Iterable[str], heard: Mapping[str, Heard], turned: Iterable[str], opened: Collection[str]
) -> Untrained:
    """Say of each parameter without a gradient what it is waiting for.

    A layer is shut where the opposite of its parameters, which has the same law, lets a gradient through to it: a ReLU
    tells the two apart, a stop, an argmin, a factor of zero does not. A vector beside a matrix of its layer is left to
    that: the bias of keys has none by the symmetry of a softmax.

    >>> left = {"gate.weight": ((8, 4), True), "gate.bias": ((8,), True)}
    >>> sorted_out(left, left, {"gate": Heard(8, above=False)}, ["gate"], left).shut
    {'gate': 8}

    Args:
        left: name -> its shape, and whether it has a part in what is returned; None where that is not known.
        trained: names of all that is trained.
        heard: layers that ran -> what they made.
        turned: the layers that ``closed`` gives.
        opened: names of what gets a gradient where all parameters of those have the opposite sign.
    """
    moved = {owner_of(n) for n in trained if n not in left}
    matrices = {owner_of(n) for n, (shape, _) in left.items() if is_matrix(n, shape)}
    shut = {o: heard[o].units for o in turned if any(owner_of(n) == o for n in opened)}
    flat: list[str] = []
    cut: list[str] = []
    unused: list[str] = []
    for name, (shape, has_part) in left.items():
        owner = owner_of(name)
        if owner in shut or (not is_matrix(name, shape) and owner in matrices | moved):
            continue
        if has_part or name in opened:
            flat.append(name)
        else:
            (cut if owner in heard else unused).append(name)
    levels = tuple(name for name, made in heard.items() if made.levels)
    return Untrained(shut, tuple(flat), tuple(cut), tuple(unused), levels=levels)
