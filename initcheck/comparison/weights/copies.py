"""Tensors of one model that were drawn from the same random numbers, and those that only one of two models has so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from initcheck.grouping import grouped

Array = npt.NDArray[np.float32]
Place = tuple[int, int]
"""A tensor of what is compared: the number of the role, and its own number in it."""

_PREFIX = 64
_FEWEST = 8


def order_of(values: Array) -> bytes | None:
    """How the first numbers of a tensor are ordered, which neither a scale nor what follows them changes.

    Of independent draws of eight numbers two are ordered alike once in 40,000 builds.

    >>> w = np.random.default_rng(0).normal(size=64).astype(np.float32)
    >>> order_of(w) == order_of(0.5 * w.reshape(8, 8)), order_of(w) == order_of(-w), order_of(np.sign(w)) is None
    (True, False, True)

    Args:
        values: as the tensor is stored.

    Returns:
        None of fewer than eight numbers, and where most are not numbers of their own.
    """
    first = values.ravel()[:_PREFIX]
    distinct = np.unique(first).size
    return np.argsort(first, kind="stable").tobytes() if distinct >= max(_FEWEST, first.size // 2 + 1) else None


def drawn_alike(builds: Sequence[Mapping[Place, bytes | None]]) -> dict[Place, tuple[bytes, ...]]:
    """What the tensors that chance decides are ordered like in some builds: tensors with one value are copies.

    Args:
        builds: the orders of each build.
    """
    found: dict[Place, tuple[bytes, ...]] = {}
    for place in builds[0] if len(builds) > 1 else ():
        orders = tuple(order for build in builds if (order := build[place]) is not None)
        if len(orders) == len(builds) and len(set(orders)) > 1:
            found[place] = orders
    return found


def copied_by_one(
    a: Mapping[Place, tuple[bytes, ...]], b: Mapping[Place, tuple[bytes, ...]]
) -> tuple[list[list[Place]], list[list[Place]]]:
    """Of each model the groups of tensors that hold the same random numbers there, and not all in the other model.

    >>> copied_by_one({(0, 0): (b"x",), (1, 0): (b"y",)}, {(0, 0): (b"z",), (1, 0): (b"z",)})
    ([], [[(0, 0), (1, 0)]])

    Args:
        a, b: ``drawn_alike`` of both.
    """
    return _not_in(a, b), _not_in(b, a)


def _not_in(one: Mapping[Place, tuple[bytes, ...]], other: Mapping[Place, tuple[bytes, ...]]) -> list[list[Place]]:
    groups = grouped((one[place], place) for place in one if place in other).values()
    return [
        list(group)
        for group in groups
        # Copies in some of the builds are none of a law that never copies, nor of one that always does.
        if any(all(m != t for m, t in zip(other[x], other[y], strict=True)) for x, y in combinations(group, 2))
    ]
