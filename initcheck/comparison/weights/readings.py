"""Other readings of a tensor: two models may store one thing in different shapes, stacked, by heads, or flat."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from initcheck.comparison.weights.roles import Role, family_of, turned_round
from initcheck.comparison.weights.tensors import OF_A_DICT, Tensor, units_first
from initcheck.grouping import grouped

Shape = tuple[int, ...]

# Pieces of a packed matrix, at most: q, k and v, or four gates.
_PACKED = range(2, 5)
_OTHER_BIAS = re.compile(r"(?<=bias_)(ih|hh)(?=(_l\d+)?(_reverse)?$)")


@dataclass(frozen=True)
class Reading:
    """How a tensor is read anew.

    Attributes:
        kind: ``stacked``, its first axis counts layers, as of a scan over them; ``inputs``, so many of its first axes
            are the inputs and the others the units, as of a kernel by heads; ``rows``, a row a unit, as of a
            convolution that is written as a product; ``bare``, without its axes of length one; ``flat``, a vector.
        axes: how many are the inputs.
    """

    kind: Literal["stacked", "inputs", "rows", "bare", "flat"]
    axes: int = 0

    def of(self, tensor: Tensor) -> list[Tensor]:
        """The tensor, or its layers, in this reading.

        >>> heads = units_first("query.kernel", "flax", np.ones((32, 4, 8)))
        >>> heads.shape, [t.shape for t in Reading("inputs", 1).of(heads)]
        ((8, 4, 32), [(32, 32)])
        >>> [t.path for t in Reading("stacked").of(units_first("fc.kernel", "flax", np.ones((2, 3, 5))))]
        ['fc.kernel[0]', 'fc.kernel[1]']
        """
        stored = tensor.stored
        if self.kind == "stacked":
            one = replace(tensor, axes=())
            turned = bool(tensor.axes)
            parts = [replace(one, path=f"{tensor.path}[{k}]", values=layer) for k, layer in enumerate(stored)]
            return [units_first(p.path, p.owner, p.values) if turned and p.values.ndim > 1 else p for p in parts]
        if self.kind == "inputs":
            inputs = math.prod(stored.shape[: self.axes])
            return [replace(tensor, values=np.ascontiguousarray(stored.reshape(inputs, -1).T), axes=(1, 0))]
        if self.kind == "rows":
            return [replace(tensor, values=tensor.values.reshape(len(tensor.values), -1), axes=())]
        if self.kind == "bare":
            return [replace(tensor, values=stored.reshape(_bare(stored.shape)), axes=())]
        return [replace(tensor, values=stored.ravel(), axes=())]


def readings(a: Sequence[Role], b: Sequence[Role]) -> tuple[dict[str, Reading], dict[str, Reading]]:
    """How tensors that found no partner are to be read so that they find one, of each side by path.

    Layers that one side holds in one tensor and the other apart come first; whoever reads them so asks again.

    >>> heads = Role("q.kernel", ("q.kernel",), (8, 4, 32), 0.1, turned=True, stored=(32, 4, 8))
    >>> plain = Role("q.weight", ("q.weight",), (32, 32), 0.1, stored=(32, 32))
    >>> readings([heads], [plain])
    ({'q.kernel': Reading(kind='inputs', axes=1)}, {})

    Args:
        a, b: roles of each that have no partner.
    """
    found: tuple[dict[str, Reading], dict[str, Reading]] = ({}, {})
    for mine, theirs, kept in ((a, b, found[0]), (b, a, found[1])):
        families = list(_families(theirs))
        for each in itertools.chain.from_iterable((one, *_singles(one)) for one in mine):
            if any(_is_stack(each, others) for others in families):
                kept.update(dict.fromkeys(each.paths, Reading("stacked")))
    if any(found):
        return found
    free = list(b)
    for x in a:
        for y in free:
            forms = _common(x, y) if len(x.paths) == len(y.paths) else None
            if forms is not None:
                free.remove(y)
                for role, reading, kept in ((x, forms[0], found[0]), (y, forms[1], found[1])):
                    if reading is not None:
                        kept[role.path] = reading
                break
    for mine, theirs, kept in ((a, b, found[0]), (b, a, found[1])):
        for one in mine:
            piece = next(filter(None, (_as_piece(one, whole) for whole in theirs)), None)
            if one.path not in kept and piece is not None:
                kept[one.path] = piece
    return _by_path(a, found[0]), _by_path(b, found[1])


def added(left: Sequence[Role], roles: Sequence[Role]) -> dict[str, str]:
    """The biases of an LSTM of PyTorch that found no partner, and to which other each is added at every step.

    Libraries that hold one bias hold the sum of the two. A GRU does not add them: one is multiplied by the reset gate.

    >>> two = [Role(f"bias_{n}_l0", (f"bias_{n}_l0",), (16,), 0.5, owner="LSTM") for n in ("ih", "hh")]
    >>> added(two[1:], two), added(two, two)
    ({'bias_hh_l0': 'bias_ih_l0'}, {})
    """
    found: dict[str, str] = {}
    alone = {path for role in left for path in role.paths}
    every = {path for role in roles for path in role.paths}
    for role in left:
        for path in role.paths if role.owner in ("LSTM", "LSTMCell") else ():
            other = _OTHER_BIAS.sub(lambda name: "ih" if name[0] == "hh" else "hh", path)
            if other != path and other in every - alone:
                found[path] = other
    return found


def stacks_in(roles: Sequence[Role]) -> dict[str, Reading]:
    """The tensors of one model that hold layers one under another, by path, told by nothing but the model.

    Such are all below one name if their first axes have one length, and a bias or a scale among them has two axes.

    >>> shapes = {"layers.fc.kernel": (4, 8, 16), "layers.fc.bias": (4, 16), "head.kernel": (4, 8), "head.bias": (8,)}
    >>> sorted(stacks_in([Role(path, (path,), stored, 0.0, stored=stored) for path, stored in shapes.items()]))
    ['layers.fc.bias', 'layers.fc.kernel']
    """
    found: dict[str, Reading] = {}
    split = [(role.path.split("."), role) for role in roles]
    below = grouped((".".join(words[:n]), role) for words, role in split for n in range(1, len(words)))
    for members in below.values():
        lengths = {role.stored[:1] for role in members}
        vectors = [role for role in members if _is_vector(role.path)]
        if (
            len(lengths) == 1
            and all(len(role.stored) > 1 for role in members)
            and len(vectors) < len(members)
            and any(len(role.stored) == 2 for role in vectors)
        ):
            found.update((path, Reading("stacked")) for role in members for path in role.paths)
    return found


def _by_path(roles: Sequence[Role], found: dict[str, Reading]) -> dict[str, Reading]:
    return {path: found[role.path] for role in roles if role.path in found for path in role.paths}


def _families(roles: Sequence[Role]) -> Iterator[list[Role]]:
    """Each role by itself, and those that differ in a number alone, as experts do, or are the biases of one cell."""
    found: dict[tuple[str, Shape, int], list[Role]] = {}
    for role in roles:
        key = _OTHER_BIAS.sub("*", family_of(role.path))
        found.setdefault((key, role.shape, len(role.paths)), []).append(role)
        yield [role]
    yield from (family for family in found.values() if len(family) > 1)


def _singles(role: Role) -> Iterator[Role]:
    """Each of several tensors by itself: w1 and w3 differ in a number too, and are no layers."""
    if len(role.paths) > 1:
        yield from (replace(role, path=path, paths=(path,)) for path in role.paths)


def _is_stack(one: Role, others: Sequence[Role]) -> bool:
    """Whether each tensor of a role holds, one under another, the layers or the experts that the other side has apart.

    Layers are one role of as many tensors, experts of each block as many roles; of both the layers come first.
    """
    layers, experts = len(others[0].paths), len(others)
    counts = [n for n in ((layers,) if len(one.paths) == 1 else ()) + ((experts,) if experts > 1 else ()) if n > 1]
    if len(one.paths) not in (1, layers) or not counts or one.stored[: len(counts)] != tuple(counts):
        return False
    if len(counts) == 1 and experts > 1 and len(one.paths) != layers:
        return False
    if len(one.stored) <= len(counts):
        return False
    inside = one
    for _ in counts:
        inside = _layer_of(inside)
    single = replace(others[0], paths=one.paths)
    return _common(inside, single) is not None or _holds_pieces(inside, single)


def _holds_pieces(whole: Role, piece: Role) -> bool:
    """Whether a matrix is a few of another laid one under another, as gate and up are in one matrix of an expert."""
    shapes = (piece.shape, turned_round(piece.shape)) if len(piece.shape) > 1 else (piece.shape,)
    return any(
        shape[1:] == whole.shape[1:] and shape[0] > 0 and whole.shape[0] / shape[0] in _PACKED
        for shape in shapes
        if len(shape) == len(whole.shape) > 1
    )


def _layer_of(stack: Role) -> Role:
    stored = stack.stored[1:]
    turned = stack.turned and len(stored) > 1
    return replace(stack, stored=stored, shape=_units_first(stored) if turned else stored, turned=turned)


def _units_first(stored: Shape) -> Shape:
    return (*stored[:-3:-1], *stored[:-2])


def _common(x: Role, y: Role) -> tuple[Reading | None, Reading | None] | None:
    """The readings in which two roles have one shape, each None where it stays as it is."""
    if math.prod(x.stored) != math.prod(y.stored):
        return None
    both = itertools.product(_forms(x), _forms(y))
    for (mine, p), (theirs, q) in sorted(both, key=lambda two: sum(form is not None for form, _ in two)):
        if p == q or (len(p) > 1 and p == turned_round(q)):
            return mine, theirs
    return None


def _forms(role: Role) -> Iterator[tuple[Reading | None, Shape]]:
    """The readings of a role, and what shape each gives."""
    yield None, role.shape
    if 1 in role.stored[:-1] and len(role.stored) > 1:
        yield Reading("bare"), _bare(role.stored)
    if len(role.stored) > 2:
        yield from _by_inputs(role)
        yield Reading("rows"), (role.shape[0], math.prod(role.rest))
    if len(role.stored) > 1 and _is_vector(role.path):
        yield Reading("flat"), (math.prod(role.stored),)


def _by_inputs(role: Role) -> Iterator[tuple[Reading, Shape]]:
    for count in range(1, len(role.stored)) if role.turned or role.owner == OF_A_DICT else ():
        yield Reading("inputs", count), (math.prod(role.stored[count:]), math.prod(role.stored[:count]))


def _as_piece(one: Role, whole: Role) -> Reading | None:
    """The reading in which a role is one of a few pieces of another, laid one under another."""
    if len(one.paths) != len(whole.paths) or len(one.stored) < 2 or not math.prod(one.stored):
        return None
    if len(whole.shape) == 1 and _is_vector(one.path) and whole.rows / math.prod(one.stored) in _PACKED:
        return Reading("flat")
    fitting = [
        reading
        for reading, shape in (_by_inputs(one) if len(one.stored) > 2 else ())
        if len(whole.shape) == 2 and shape[1] == whole.shape[1] and whole.rows / shape[0] in _PACKED
    ]
    return fitting[0] if fitting else None


def _bare(shape: Shape) -> Shape:
    return tuple(n for n in shape if n > 1) or (1,)


def _is_vector(path: str) -> bool:
    """Whether a path is that of a bias or a scale, whose axes are heads and what is in each."""
    leaf = path.rpartition(".")[2].partition("[")[0].lower()
    return leaf in ("b", "scale", "gamma", "beta") or "bias" in leaf
