"""By what words a factory asks which rank it builds for, and of how many."""

from __future__ import annotations

from collections.abc import Iterable

RANK = ("rank", "tp_rank", "mp_rank", "global_rank")
WORLD = ("world", "world_size", "tp_size", "tp_world_size", "mp_size", "tp_degree", "num_ranks", "n_ranks")


def rank_words(parameters: Iterable[str]) -> tuple[str, str] | None:
    """The parameters of a factory that is given a rank and a world; None of one that is given none.

    >>> rank_words(["key", "tp_rank", "tp_size"]), rank_words(["key", "rank"])
    (('tp_rank', 'tp_size'), None)

    Args:
        parameters: names of the factory's parameters.
    """
    names = set(parameters)
    rank, world = (next((word for word in words if word in names), None) for words in (RANK, WORLD))
    return None if rank is None or world is None else (rank, world)
