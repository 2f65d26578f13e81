"""A model that is built rank by rank, put together: each tensor whole, from the shards of all ranks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from initcheck.adapters.signatures.parameters import parameters_of
from initcheck.adapters.signatures.rank_words import rank_words
from initcheck.comparison.weights.tensors import Tensor, tensors_of
from initcheck.errors import UsageError


def takes_rank(factory: Callable[..., Any]) -> bool:
    """Whether a factory builds the shard of one rank: it has the parameters ``rank`` and ``world``."""
    return rank_words(parameters_of(factory) or ()) is not None


def put_together(
    factory: Callable[..., Any], world: int, name: str, odd: dict[str, str] | None = None
) -> Callable[..., list[Tensor]]:
    """A factory of the whole model: every rank is built, at the same seed, and its shards are laid side by side.

    The shape of the whole is read off the build of a world of one. A tensor that is as large on every rank is a
    replica, and is taken from the first.

    >>> def shard(rank, world, seed):
    ...     whole = np.random.default_rng(seed).normal(size=(4, 2))
    ...     return {"w": np.split(whole, world)[rank]}
    >>> [tensor.shape for tensor in put_together(shard, 2, "m:shard")(seed=0)]
    [(4, 2)]

    Args:
        factory: builds the shard of ``rank`` of ``world``.
        world: how many ranks.
        name: for messages.
        odd: takes up, by path, which ranks hold other numbers of a replica than the first.

    Raises:
        UsageError: when it is called, the shards of a tensor are not those of the whole.
    """
    words = rank_words(parameters_of(factory) or ())
    assert words is not None, "put_together is asked of a factory that takes_rank"

    def whole(**given: Any) -> list[Tensor]:
        alone = tensors_of(factory(**dict(zip(words, (0, 1), strict=True)), **given), name)
        ranks = [
            tensors_of(factory(**dict(zip(words, (rank, world), strict=True)), **given), name) for rank in range(world)
        ]
        found = []
        for tensor in alone:
            shards = [_of_path(one, tensor.path, name) for one in ranks]
            others = _other_replicas(tensor, shards)
            if odd is not None and others:
                odd.setdefault(tensor.path, others)
            found.append(_joined(tensor, shards, name))
        return found

    kept = [p for n, p in (parameters_of(factory) or {}).items() if n not in words]
    whole.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined]  # what randomness it takes is read off it
    return whole


def _of_path(tensors: Sequence[Tensor], path: str, name: str) -> Tensor:
    found = next((tensor for tensor in tensors if tensor.path == path), None)
    if found is None:
        raise UsageError(f"{name}: {path} of the unsharded build is on no rank; every rank must hold a shard of it.")
    return found


def _other_replicas(whole: Tensor, shards: Sequence[Tensor]) -> str:
    """The ranks whose replica of a tensor is not the first one's; empty where it is no replica, or all are one."""
    if any(shard.shape != whole.shape for shard in shards):
        return ""
    first = shards[0].values
    return ", ".join(str(k) for k, s in enumerate(shards) if not np.array_equal(s.values, first, equal_nan=True))


def _joined(whole: Tensor, shards: Sequence[Tensor], name: str) -> Tensor:
    if all(shard.shape == whole.shape for shard in shards):
        return replace(whole, values=shards[0].values)
    for axis in range(len(whole.shape)):
        rest = {shard.shape[:axis] + shard.shape[axis + 1 :] for shard in shards}
        sizes = sum(shard.shape[axis] for shard in shards if len(shard.shape) == len(whole.shape))
        if rest == {whole.shape[:axis] + whole.shape[axis + 1 :]} and sizes == whole.shape[axis]:
            return replace(whole, values=np.concatenate([shard.values for shard in shards], axis=axis))
    shapes = ", ".join(str(shape) for shape in dict.fromkeys(shard.shape for shard in shards))
    raise UsageError(
        f"{name}: {whole.path} has shape {whole.shape} unsharded, and the {len(shards)} ranks hold {shapes}, which"
        " laid side by side are not that."
    )
