"""Tensors of which each rank has some by number, its experts or its stage: which of the whole they stand for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from initcheck.grouping import grouped
from initcheck.models.ranks.told import Piece, RankTold

_NUMBER = re.compile(r"\d+")


def as_shards(ranks: Sequence[RankTold], whole: RankTold | None) -> list[RankTold]:
    """The ranks, with each tensor that every one of them counts anew marked as a piece of a larger one.

    Where the unsharded build has ``experts.0`` to ``experts.7``, and each of four ranks ``experts.0`` and
    ``experts.1``, these are no replicas: each stands for another of the eight.

    >>> w = Piece(name="experts.0.w", shape=(4, 2), count=8)
    >>> alone = RankTold(0, {f"experts.{k}.w": w for k in range(2)})
    >>> ranks = [RankTold(rank, {"experts.0.w": w}) for rank in (0, 1)]
    >>> [told.pieces["experts.0.w"].whole for told in as_shards(ranks, alone)]
    [(8, 2), (8, 2)]

    Args:
        ranks: what each told.
        whole: what a build by one process told; None where there is none.
    """
    alive = [told for told in ranks if told.problem is None]
    if whole is None or len(alive) < 2 or len(alive) < len(ranks):
        return list(ranks)
    times: dict[str, int] = {}
    families = _families(whole.pieces)
    for name in set(alive[0].pieces).intersection(*(told.pieces for told in alive[1:])):
        for key in _keys(name):
            members = set(families.get(key, ()))
            mine = [members & set(told.pieces) for told in alive]
            # What the ranks have beyond it would be tensors by their own names, and no numbers that begin anew.
            if all(m == mine[0] for m in mine) and mine[0] and len(members) > len(mine[0]):
                count, rest = divmod(len(members), len(mine[0]))
                # Ranks that are fewer than the parts leave some of them to nobody, which shows in the sum.
                if rest == 0 and (len(alive) % count == 0 or len(alive) < count):
                    times[name] = count
    return [
        replace(told, pieces={n: _part(p, times[n]) if n in times else p for n, p in told.pieces.items()})
        for told in ranks
    ]


def _part(piece: Piece, of: int) -> Piece:
    if piece.whole is not None or not piece.shape:
        return piece
    return replace(piece, whole=(of * piece.shape[0], *piece.shape[1:]))


def shared_out(ranks: Sequence[RankTold], whole: RankTold | None) -> set[str]:
    """Names of tensors that some ranks have and others have not, as is meant: each expert, or layer of a stage, once.

    Such are the tensors of a family that differ in one number alone, if as many ranks have each of them as any other
    and together they have all that the unsharded build has. Beside stages stands what is on one of them alone.

    >>> w = Piece(name="w", shape=(2,))
    >>> stages = [RankTold(r, {f"layers.{r}.w": w}) for r in (0, 1)]
    >>> sorted(shared_out(stages, None)), shared_out([*stages, RankTold(2, {"layers.0.w": w})], None)
    (['layers.0.w', 'layers.1.w'], set())
    """
    alive = [told for told in ranks if told.problem is None]
    holders: dict[str, int] = defaultdict(int)
    for told in alive:
        for name in told.pieces:
            holders[name] += 1
    every = {*holders, *(whole.pieces if whole is not None else ())}
    found: set[str] = set()
    for members in _families(every).values():
        held = {holders.get(name, 0) for name in members}
        if len(held) == 1 and 0 < min(held) < len(alive) and len(members) > 1:
            found |= set(members)
    if any(holders[name] == 1 for name in found):
        known = whole.pieces if whole is not None else holders
        found |= {name for name, count in holders.items() if count == 1 and name in known}
    return found


def copies_elsewhere(ranks: Sequence[RankTold], whole: RankTold | None) -> Iterator[tuple[Piece, int, Piece, int]]:
    """Random tensors of different names on different ranks that hold the same bits, with their ranks.

    Tensors that the unsharded build has with the same bits, or that one rank has both of, are left out.
    """
    every = ((piece, told.rank) for told in ranks for piece in told.pieces.values())
    by_digest = grouped((piece.digest, (piece, rank)) for piece, rank in every if piece.random and piece.count > 1)
    of_rank = {told.rank: told.pieces for told in ranks}
    for held in by_digest.values():
        one, rank = held[0]
        for other, elsewhere in held[1:]:
            apart = other.name != one.name and other.name not in of_rank[rank] and one.name not in of_rank[elsewhere]
            if apart and not _equal_alone(one.name, other.name, whole):
                yield one, rank, other, elsewhere
                break


def _equal_alone(one: str, other: str, whole: RankTold | None) -> bool:
    if whole is None or one not in whole.pieces or other not in whole.pieces:
        return False
    return whole.pieces[one].digest == whole.pieces[other].digest


def _families(names: Mapping[str, Piece] | set[str]) -> dict[str, list[str]]:
    return grouped((key, name) for name in sorted(names) for key in _keys(name))


def _keys(name: str) -> Iterator[str]:
    """A name with one of its numbers starred, each in its turn."""
    for number in _NUMBER.finditer(name):
        yield f"{name[: number.start()]}*{name[number.end() :]}"
