"""Do several ranks hold one model? Facts about one build of each, at one seed."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from initcheck.grouping import grouped
from initcheck.models.factory.wording import place
from initcheck.models.ranks.families import copies_elsewhere, shared_out
from initcheck.models.ranks.told import Piece, RankTold
from initcheck.wording import listed

_CONTRADICTION = 1e-12
_WITHIN = 0.05


def other_tensors(ranks: Sequence[RankTold], whole: RankTold | None = None) -> Iterator[str]:
    """Ranks that built nothing, or other tensors than most, but for experts and stages that are shared out."""
    # The one that is gone first: the others wait for it, and are not to blame.
    for told in sorted(ranks, key=_blame):
        if told.problem is not None:
            yield f"rank {told.rank} {told.problem}"
    alive = [told for told in ranks if told.problem is None]
    sets = Counter(tuple(sorted(told.pieces)) for told in alive)
    if len(sets) < 2:
        return
    meant = shared_out(alive, whole)
    common = set(sets.most_common(1)[0][0])
    for told in alive:
        lacks, more = common - set(told.pieces) - meant, set(told.pieces) - common - meant
        if lacks:
            yield f"rank {told.rank} lacks {listed(sorted(lacks))}, which the others have"
        if more:
            yield f"rank {told.rank} has {listed(sorted(more))}, which the others have not"


def _blame(told: RankTold) -> int:
    """A rank that is gone, one that raises by itself, those that lost another, that hang, that wait for another."""
    said = told.problem or ""
    lost = any(word in said for word in ("gloo", "Connection", "peer", "DistBackendError"))
    if said.startswith("does not end"):
        return 3 if "; it stands at" in said else 4
    return 2 if lost else 1 if said.startswith("raises") else 0


def never_written(ranks: Sequence[RankTold]) -> Iterator[str]:
    """Entries that nobody wrote, by rank; the same tensor on several ranks is one sentence."""
    pieces = ((name, told.rank, piece) for told in ranks for name, piece in told.pieces.items())
    for name, held in grouped((name, (rank, piece)) for name, rank, piece in pieces if piece.never).items():
        rank, piece = held[0]
        more = f"rank{'s' if len(held) > 2 else ''} {', '.join(str(r) for r, _ in held[1:])}"
        others = f"; so on {more}" if len(held) > 1 else ""
        yield f"{name}: {piece.never:,} of {piece.count:,} entries never written on rank {rank}{others}"


def copied_pieces(ranks: Sequence[RankTold], whole: RankTold | None) -> Iterator[str]:
    """Pieces of one tensor that are copies of one another."""
    for name, held in _held(ranks).items():
        shards = _shards(held, whole)
        random = [(r, p) for r, p in shards if p.random and p.count > 1]
        if len(random) < 2:
            continue
        by_digest = grouped((piece.digest, (rank, piece)) for rank, piece in random)
        same = max(by_digest.values(), key=len)
        known = {p.offset for _, p in same}
        # Where nobody says which piece a rank holds, as many different ones must be there as the whole has room for.
        needed = _pieces_needed(same[0][1], whole)
        copies = len(known) > 1 if None not in known else len(by_digest) < needed
        if len(same) > 1 and copies:
            at = place(same[0][1].site)
            yield f"{name}: its shards on ranks {', '.join(str(r) for r, _ in same)} are equal bit for bit ({at})"
    for one, rank, other, elsewhere in copies_elsewhere(ranks, whole):
        at = place(other.site)
        yield f"{one.name} on rank {rank} and {other.name} on rank {elsewhere} are equal bit for bit ({at})"


def repeated_states(ranks: Sequence[RankTold]) -> Iterator[str]:
    """Different draws of one rank that began at one state of a generator."""
    said: set[tuple[str, ...]] = set()
    for told in ranks:
        by_state: dict[bytes, dict[int, tuple[str, Piece]]] = defaultdict(dict)
        for name, piece in told.pieces.items():
            if piece.random:
                for state, number, entries, _ in piece.draws:
                    if entries:
                        by_state[state].setdefault(number, (name, piece))
        for draws in by_state.values():
            names = tuple(dict.fromkeys(name for name, _ in draws.values()))
            if len(draws) > 1 and names not in said:
                said.add(names)
                at = place(next(iter(draws.values()))[1].site)
                yield f"{listed(names)}: {len(draws)} draws of rank {told.rank} began at one generator state ({at})"


def differing_replicas(ranks: Sequence[RankTold], whole: RankTold | None) -> Iterator[str]:
    """Tensors that several ranks hold at one place, and not with the same bits."""
    for name, held in _held(ranks).items():
        shards = {r for r, _ in _shards(held, whole)}
        placed = (one for one in held if one[0] not in shards or one[1].offset is not None)
        groups = grouped(((piece.offset, piece.shape), (rank, piece)) for rank, piece in placed)
        plain = [(r, p) for r, p in held if r in shards and p.offset is None]
        different = {p.digest: p for _, p in plain}.values()
        # Shards may be of several sizes, and the last ones padded; of one more than the whole has room for is too much.
        if plain and sum(p.count for p in different) - _full(plain[0][1], whole) >= min(p.count for p in different):
            needed = _pieces_needed(plain[0][1], whole)
            yield f"{name}: {len(different)} different shards, the whole has room for {needed}"
        for group in groups.values():
            digests = Counter(p.digest for _, p in group)
            if len(digests) < 2:
                continue
            common = digests.most_common(1)[0][0]
            odd = [(r, p) for r, p in group if p.digest != common]
            if len(odd) * 2 >= len(group):
                said = f"ranks {', '.join(str(r) for r, _ in group)} hold different values of one replica"
            else:
                said = f"rank {', '.join(str(r) for r, _ in odd)} differs from the {len(group) - len(odd)} others"
            rest = next(p for _, p in group if p.digest == common)
            one, other = (f"{p.dtype}, " if odd[0][1].dtype != rest.dtype else "" for p in (odd[0][1], rest))
            yield f"{name}: {said} ({one}{_words(odd[0][1])}; elsewhere {other}{_words(rest)})"


def lost_ties(ranks: Sequence[RankTold], whole: RankTold | None) -> Iterator[str]:
    """Tensors that are one in the unsharded build, and two on some rank."""
    for name, first in (whole.tied if whole is not None else {}).items():
        for told in ranks:
            if told.problem is None and name not in told.tied and name in told.pieces:
                yield f"{name} is tied to {first} in the unsharded build, and stands by itself on rank {told.rank}"
                break


def other_laws(ranks: Sequence[RankTold], whole: RankTold | None) -> Iterator[str]:
    """Whole tensors that do not follow the law of the unsharded build.

    Where a draw names both standard deviations they are compared exactly. Otherwise the mean squares of the pieces,
    taken together, and of the unsharded tensor: they differ by more than 5 % and chance explains that with
    probability at most 1e-12 (Chernoff for the F law).
    """
    if whole is None:
        return
    for name, held in _held(ranks).items():
        alone = whole.pieces.get(name)
        if alone is None or alone.never or any(p.never for _, p in held):
            continue
        rank, piece = held[0]
        if alone.constant != piece.constant and not (alone.random or piece.random):
            yield f"{name}: {_words(piece)} on rank {rank}, {_words(alone)} unsharded"
            continue
        if not (alone.random and any(p.random for _, p in held)):
            continue
        off = next(((r, p) for r, p in held if p.std and alone.std and not _near(p.std, alone.std)), None)
        if off is not None:
            ratio = (off[1].std or 0.0) / (alone.std or 1.0)
            yield (
                f"{name}: drawn on rank {off[0]} as {off[1].law}, unsharded as {alone.law}: x{ratio:.3g}"
                f"{_fan_of_the_shard(off[1], alone, ratio)} ({place(off[1].site)})"
            )
            continue
        if all(p.std for _, p in held) and alone.std:
            continue
        parts = {p.digest: p for _, p in held}.values()
        entries = sum(p.count for p in parts)
        if _moved(alone.squares / max(alone.count, 1), sum(p.squares for p in parts) / max(entries, 1),
                  min(entries, alone.count)):  # fmt: skip
            size = math.sqrt(sum(p.squares for p in parts) / entries)
            before = math.sqrt(alone.squares / alone.count)
            yield f"{name}: root mean square {size:.4g} over the ranks, {before:.4g} unsharded"


def lost_entries(ranks: Sequence[RankTold], whole: RankTold | None) -> Iterator[str]:
    """Tensors of which all ranks together hold less than the unsharded build has."""
    for name, held in _held(ranks).items():
        full = _full(held[0][1], whole)
        together = sum(piece.count for _, piece in held)
        if together < full and len(held) == sum(told.problem is None for told in ranks):
            shapes = " and ".join(str(shape) for shape in dict.fromkeys(piece.shape for _, piece in held))
            yield (
                f"{name}: its {len(held)} shards of shape {shapes} hold {together:,} entries together, the unsharded"
                f" build has {full:,}"
            )


def _fan_of_the_shard(piece: Piece, alone: Piece, ratio: float) -> str:
    """Whether the fans of the piece stand where those of the whole belong."""
    if len(piece.shape) < 2 or len(alone.shape) != len(piece.shape) or piece.shape == alone.shape:
        return ""
    (one_in, one_out), (all_in, all_out) = _fans(piece.shape), _fans(alone.shape)
    for words, factor in (
        ("fan_in", all_in / one_in), ("fan_out", all_out / one_out), ("fans", (all_in + all_out) / (one_in + one_out))
    ):  # fmt: skip
        if factor > 1.01 and math.isclose(ratio**2, factor, rel_tol=0.02):
            stand = "stand for those" if words == "fans" else "stands for that"
            return f", since the {words} of the shard {stand} of the whole"
    return ""


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    receptive = math.prod(shape[2:])
    return shape[1] * receptive, shape[0] * receptive


def _held(ranks: Sequence[RankTold]) -> dict[str, list[tuple[int, Piece]]]:
    return grouped((name, (told.rank, piece)) for told in ranks for name, piece in told.pieces.items())


def _shards(held: Sequence[tuple[int, Piece]], whole: RankTold | None) -> list[tuple[int, Piece]]:
    """The pieces that are smaller than the whole."""
    alone = whole.pieces.get(held[0][1].name) if whole is not None else None
    found = []
    for rank, piece in held:
        full = piece.whole or (alone.shape if alone is not None else piece.shape)
        if piece.count < math.prod(full):
            found.append((rank, piece))
    return found


def _pieces_needed(piece: Piece, whole: RankTold | None) -> int:
    return max(1, round(_full(piece, whole) / max(piece.count, 1)))


def _full(piece: Piece, whole: RankTold | None) -> int:
    """Entries of the whole that a piece is of."""
    alone = whole.pieces.get(piece.name) if whole is not None else None
    return math.prod(piece.whole or (alone.shape if alone is not None else piece.shape))


def _near(one: float, two: float) -> bool:
    return math.isclose(one, two, rel_tol=1e-4)


def _moved(before: float, after: float, entries: int) -> bool:
    if before == after:
        return False
    if not (before > 0 and after > 0):
        return entries > 24
    ratio = max(before / after, after / before) / (1 + _WITHIN)
    # Entries of orthogonal or heavy-tailed laws are counted as a third of their number.
    return ratio > 1 and entries / 6 * math.log((1 + ratio) ** 2 / (4 * ratio)) > math.log(2 / _CONTRADICTION)


def _words(piece: Piece) -> str:
    return f"{piece.law} at {place(piece.site)}" if piece.site is not None else piece.law
