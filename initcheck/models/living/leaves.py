"""Arrays of a model outside of torch, by path, and where each stands: block numbers starred, stacks unstacked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from initcheck.grouping import grouped
from initcheck.models.builds.roles import Place, starred

_AUTO = re.compile(r"^(.*_)(\d+)$")
_CHAIN = 5
"""Layers of one class and shape beside one another that are taken for the depth of a network, not for roles."""


@dataclass(frozen=True)
class Leaf:
    """One array of a model.

    Attributes:
        path: its parts, such as ``("Block_0", "Dense_1", "kernel")``.
        owner: class of the module that it belongs to.
        parameter, trainable: whether it is a parameter, and is trained.
        inputs_first: whether its axes are (..., inputs, outputs).
    """

    path: tuple[str, ...]
    owner: str
    parameter: bool = True
    trainable: bool = True
    inputs_first: bool = True

    @property
    def name(self) -> str:
        """Its path as text."""
        return ".".join(self.path)


def stacks_of(
    leaves: Sequence[Leaf], lengths: Mapping[int, int], constants: Mapping[int, tuple[int, ...]]
) -> dict[int, int]:  # fmt: skip
    """Which leaves are stacks, and at which part of their path the number of the slice goes.

    Args:
        leaves: of the model.
        lengths: number of a leaf -> length of its first axis, of those that were drawn slice by slice.
        constants: number of a leaf -> its shape, of those that no key was drawn for.
    """
    found: dict[int, int] = {}
    for length in set(lengths.values()):
        stacked = [leaves[i].path for i, n in lengths.items() if n == length]
        for paths in grouped((path[0], path) for path in stacked).values():
            shared = len(_common(paths))
            depth = min(shared, min(len(p) for p in paths) - 1)
            depth = _with_constants(leaves, paths[0][:depth], length, lengths, constants)
            found |= {i: depth for i, n in lengths.items() if n == length and leaves[i].path in paths}
    return found


def _with_constants(
    leaves: Sequence[Leaf], prefix: tuple[str, ...], length: int, lengths: Mapping[int, int],
    constants: Mapping[int, tuple[int, ...]],
) -> int:  # fmt: skip
    """The depth of the layer that holds a stack and, beside it, stacks of constants alone: a block is its norms too."""
    while len(prefix) > 1:
        inside = [i for i, leaf in enumerate(leaves) if leaf.path[: len(prefix) - 1] == prefix[:-1]]
        others = [i for i in inside if leaves[i].path[: len(prefix)] != prefix]
        firsts = {lengths.get(i) or constants.get(i, (0,))[0] for i in others}
        vectors = all(len(constants.get(i, ())) == 1 for i in others)  # of as many units as there are blocks
        if firsts != {length} or vectors:
            break
        prefix = prefix[:-1]
    return len(prefix)


def unstacked_name(leaf: Leaf, depth: int, number: int) -> Leaf:
    """The leaf of one slice of a stack."""
    return replace(leaf, path=(*leaf.path[:depth], str(number), *leaf.path[depth:]))


def _common(paths: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    first, *others = paths
    for i, part in enumerate(first):
        if any(len(p) <= i or p[i] != part for p in others):
            return first[:i]
    return first


def places_of(shapes: Mapping[tuple[str, ...], tuple[int, ...]]) -> dict[str, Place]:
    """The place of every array.

    A number is starred where what stands under it stands under another number too. Names that a framework numbers
    by itself (``Dense_0``, ``Dense_1``) are roles, as query, key and value are, unless five of one shape stand beside
    one another.

    >>> block = {("B_0", "Dense_0", "kernel"): (4, 4), ("B_1", "Dense_0", "kernel"): (4, 4)}
    >>> [p.path for p in places_of(block).values()]
    ['B_*.Dense_0.kernel', 'B_*.Dense_0.kernel']
    """
    alike: Counter[tuple[object, ...]] = Counter()
    for path, shape in shapes.items():
        match = _AUTO.match(path[-2]) if len(path) > 1 else None
        if match is not None:
            alike[path[:-2], match[1], path[-1], shape] += 1
    split: dict[str, tuple[int, ...]] = {}
    names: dict[str, str] = {}
    for path, shape in shapes.items():
        parts: list[str] = []
        for i, part in enumerate(path):
            match = _AUTO.match(part) if i < len(path) - 1 else None
            leaf = i == len(path) - 2
            if match is not None and (not leaf or alike[path[:-2], match[1], path[-1], shape] >= _CHAIN):
                parts += [match[1], match[2]]
            else:
                parts.append(part)
        split[".".join(parts)] = shape
        names[".".join(parts)] = ".".join(path)
    return {names[name]: replace(p, path=p.path.replace("_.", "_")) for name, p in starred(split).items()}
