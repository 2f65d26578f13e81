"""A model that is built rank by rank, put together: each tensor whole, from the shards of all ranks."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.adapters.signatures.parameters import parameters_of
from initcheck.adapters.signatures.rank_words import rank_words
from initcheck.comparison.weights.tensors import Tensor, tensors_of
from initcheck.errors import UsageError
from initcheck.sandbox.global_generators import isolated

Array = npt.NDArray[Any]

_NUMBER = re.compile(r"\d+")
# Pieces of a packed matrix, of each of which a rank may hold its part: gate and up; q, k and v; four gates.
_PIECES = (2, 3, 4)
# Row blocks of two builds are of one size within this factor, in logarithms.
_ALIKE = 0.3


@dataclass
class Told:
    """What is said of the shards of one side, by path.

    Attributes:
        world: how many ranks hold them.
        odd: which ranks hold other numbers of a replica than the first that has it, or that they do not hold it all.
        repeats: the tensors whose shards hold the same random numbers on every rank.
        notes: how shards were laid side by side, where it is not one under another.
    """

    world: int
    odd: dict[str, str] = field(default_factory=dict)
    repeats: set[str] = field(default_factory=set)
    notes: dict[str, str] = field(default_factory=dict)


def takes_rank(factory: Callable[..., Any]) -> bool:
    """Whether a factory builds the shard of one rank: it has the parameters ``rank`` and ``world``."""
    return rank_words(parameters_of(factory) or ()) is not None


def put_together(factory: Callable[..., Any], name: str, told: Told) -> Callable[..., list[Tensor]]:
    """A factory of the whole model: every rank is built, at the same seed, and its shards are laid side by side.

    The shape of the whole is read off the build of a world of one. A tensor that is as large on every rank is a
    replica, and is taken from the first; so is one that only some ranks have, as a stage or an expert. Fewer pieces
    than ranks are replicas of one another in groups, as heads of keys are; rows beyond the whole are padding. What the
    ranks together do not hold is told, and left out.

    >>> def shard(rank, world, seed):
    ...     whole = np.random.default_rng(seed).normal(size=(4, 2))
    ...     return {"w": np.split(whole, world)[rank]}
    >>> [tensor.shape for tensor in put_together(shard, "m:shard", Told(2))(seed=0)]
    [(4, 2)]

    Args:
        factory: builds the shard of ``rank`` of ``world``.
        name: for messages.
        told: how many ranks there are; it takes up what is said of their shards.

    Raises:
        UsageError: when it is called, the ranks hold no tensor of the whole.
    """
    words = rank_words(parameters_of(factory) or ())
    assert words is not None, "put_together is asked of a factory that takes_rank"
    world = told.world
    packed: dict[str, int] = {}

    def whole(**given: Any) -> list[Tensor]:
        def of(rank: int, world: int) -> list[Tensor]:
            with isolated():  # what draws from a global generator finds it alike on every rank
                return tensors_of(factory(**dict(zip(words, (rank, world), strict=True)), **given), name)

        alone = of(0, 1)
        ranks = [{tensor.path: tensor for tensor in of(rank, world)} for rank in range(world)]
        every = {tensor.path for tensor in alone}
        joined = (_joined(tensor, _held(tensor.path, every, ranks), told, packed) for tensor in alone)
        found = [tensor for tensor in joined if tensor is not None]
        if alone and not found:
            path, what = next(iter(told.odd.items()))
            raise UsageError(f"{name}: of no tensor do the {world} ranks hold the whole; {path}: {what}.")
        return found

    kept = [p for n, p in (parameters_of(factory) or {}).items() if n not in words]
    whole.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined]  # what randomness it takes is read off it
    return whole


def _held(path: str, every: set[str], ranks: Sequence[Mapping[str, Tensor]]) -> dict[int, Tensor]:
    """What the ranks hold of a tensor, by rank: under its own name, or one counted anew on each rank."""
    counted = _counted_anew(path, every, ranks)
    if counted is not None:
        rank, own = counted
        return {rank: ranks[rank][own]}
    return {rank: tensors[path] for rank, tensors in enumerate(ranks) if path in tensors}


def _counted_anew(path: str, every: set[str], ranks: Sequence[Mapping[str, Tensor]]) -> tuple[int, str] | None:
    """The rank that holds a tensor by a number of its own, and under which name: expert 5 as its expert 1, say."""
    for number in _NUMBER.finditer(path):
        before, after = path[: number.start()], path[number.end() :]
        own = re.compile(f"{re.escape(before)}(\\d+){re.escape(after)}")
        in_whole, *on_ranks = (
            {int(found[1]) for one in paths if (found := own.fullmatch(one))} for paths in (every, *ranks)
        )
        each = len(on_ranks[0])
        if (
            0 < each < len(in_whole) == each * len(ranks)
            and in_whole == set(range(len(in_whole)))
            and all(numbers == set(range(each)) for numbers in on_ranks)
        ):
            rank, mine = divmod(int(number[0]), each)
            return rank, f"{before}{mine}{after}"
    return None


def _joined(whole: Tensor, held: Mapping[int, Tensor], told: Told, packed: dict[str, int]) -> Tensor | None:
    """The tensor of the whole; None where the ranks together do not hold it, which is told."""
    if not held:
        told.odd.setdefault(whole.path, "no rank holds it, nor a shard of it")
        return None
    if all(shard.shape == whole.shape for shard in held.values()):
        return replace(whole, values=_of_replicas(whole.path, [held], told)[0])
    for axis in range(len(whole.shape)) if all(len(s.shape) == len(whole.shape) for s in held.values()) else ():
        rest = {shard.shape[:axis] + shard.shape[axis + 1 :] for shard in held.values()}
        if rest != {whole.shape[:axis] + whole.shape[axis + 1 :]}:
            continue
        sizes, full = [shard.shape[axis] for shard in held.values()], whole.shape[axis]
        if sum(sizes) == full:
            shards = [shard.values for shard in held.values()]
            return replace(whole, values=_side_by_side(whole, shards, axis, told, packed))
        if len(set(sizes)) > 1 or not sizes[0]:
            continue
        if full % sizes[0] == 0 and len(sizes) % (full // sizes[0]) == 0:
            groups = _groups(held, full // sizes[0])
            told.notes[whole.path] = f"each of its {len(groups)} pieces is held by {len(groups[0])} ranks"
            return replace(whole, values=np.concatenate(_of_replicas(whole.path, groups, told), axis=axis))
        # A rank that would hold padding alone holds a shard of another size than it should.
        if axis == 0 and 0 < sum(sizes) - full < sizes[0]:
            told.notes[whole.path] = f"{sum(sizes) - full} rows of padding beyond the whole are not compared"
            return replace(whole, values=np.concatenate([shard.values for shard in held.values()])[:full])
    shapes = ", ".join(str(shape) for shape in dict.fromkeys(shard.shape for shard in held.values()))
    who = f"{len(held)} ranks hold" if len(held) > 1 else f"rank {next(iter(held))} alone holds"
    told.odd.setdefault(whole.path, f"{who} {shapes}, and not the {whole.shape}")
    return None


def _of_replicas(path: str, groups: Sequence[Mapping[int, Tensor]], told: Told) -> list[Array]:
    """The numbers of the first rank of each group; ranks that hold others are told."""
    firsts = [next(iter(group.items())) for group in groups]
    odd = {
        rank: first
        for group, (first, one) in zip(groups, firsts, strict=True)
        for rank, tensor in group.items()
        if not np.array_equal(tensor.values, one.values, equal_nan=True)
    }
    if odd:
        ranks, verb = ("ranks", "hold") if len(odd) > 1 else ("rank", "holds")
        others = dict.fromkeys(odd.values())
        than = f"rank{'s' if len(others) > 1 else ''} {', '.join(map(str, others))}"
        told.odd.setdefault(path, f"{ranks} {', '.join(map(str, odd))} {verb} other numbers than {than}")
    return [one.values for _, one in firsts]


def _groups(held: Mapping[int, Tensor], pieces: int) -> list[dict[int, Tensor]]:
    """The ranks that hold one piece each: neighbours, unless every so manyth rank holds the same numbers."""
    ranks = list(held)
    each = len(ranks) // pieces
    neighbours, apart = (
        [ranks[k * each : (k + 1) * each] for k in range(pieces)],
        [ranks[k::pieces] for k in range(pieces)],
    )
    chosen = apart if not _are_equal(held, neighbours) and _are_equal(held, apart) else neighbours
    return [{rank: held[rank] for rank in group} for group in chosen]


def _are_equal(held: Mapping[int, Tensor], groups: Sequence[Sequence[int]]) -> bool:
    return all(np.array_equal(held[group[0]].values, held[rank].values) for group in groups for rank in group)


def _side_by_side(whole: Tensor, shards: Sequence[Array], axis: int, told: Told, packed: dict[str, int]) -> Array:
    """The shards as one; of a packed matrix each rank may hold its part of every piece, which the first build shows."""
    if whole.path not in packed:
        packed[whole.path] = _pieces(whole, shards, axis)
        if len(shards) > 1 and np.ptp(shards[0]) > 0 and all(np.array_equal(shards[0], shard) for shard in shards):
            told.repeats.add(whole.path)
    pieces = packed[whole.path]
    if pieces > 1:
        told.notes[whole.path] = f"each rank holds its part of {pieces} pieces"
    return _by_pieces(shards, pieces, axis)


def _by_pieces(shards: Sequence[Array], pieces: int, axis: int) -> Array:
    parts = [np.split(shard, pieces, axis=axis) for shard in shards]
    return np.concatenate([part[k] for k in range(pieces) for part in parts], axis=axis)


def _pieces(whole: Tensor, shards: Sequence[Array], axis: int) -> int:
    """Into how many pieces shards fall so that they are the whole: by its numbers, or by the sizes of its rows."""
    possible = [n for n in _PIECES if all(shard.shape[axis] % n == 0 for shard in shards)]
    for n in (1, *possible):
        if np.array_equal(_by_pieces(shards, n, axis), whole.values):
            return n
    off = {n: _apart(_by_pieces(shards, n, axis), whole.values, axis, len(shards) * n) for n in (1, *possible)}
    best = min(off, key=lambda n: off[n])
    return best if off[1] > _ALIKE and off[best] < off[1] / 2 else 1


def _apart(one: Array, other: Array, axis: int, blocks: int) -> float:
    """How much the sizes of blocks along an axis differ, in logarithms."""
    sizes = [
        np.array([np.square(part, dtype=np.float64).mean() for part in np.array_split(values, blocks, axis=axis)])
        for values in (one, other)
    ]
    if not (sizes[0] > 0).all() or not (sizes[1] > 0).all():
        return float(np.mean((sizes[0] > 0) != (sizes[1] > 0)))
    return float(np.abs(np.log(sizes[0] / sizes[1])).mean())
