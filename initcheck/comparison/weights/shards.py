"""A model that is built rank by rank, put together: each tensor whole, from the shards of all ranks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from initcheck.adapters.signatures.parameters import parameters_of
from initcheck.comparison.weights.tensors import Tensor, tensors_of
from initcheck.errors import UsageError

_WORLD = ("world", "world_size")


def takes_rank(factory: Callable[..., Any]) -> bool:
    """Whether a factory builds the shard of one rank: it has the parameters ``rank`` and ``world``."""
    names = parameters_of(factory) or {}
    return "rank" in names and any(word in names for word in _WORLD)


def put_together(factory: Callable[..., Any], world: int, name: str) -> Callable[..., list[Tensor]]:
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

    Raises:
        UsageError: when it is called, the shards of a tensor are not those of the whole.
    """
    word = next(w for w in _WORLD if w in (parameters_of(factory) or {}))

    def whole(**given: Any) -> list[Tensor]:
        alone = tensors_of(factory(rank=0, **{word: 1}, **given), name)
        ranks = [tensors_of(factory(rank=rank, **{word: world}, **given), name) for rank in range(world)]
        return [_joined(tensor, [_of_path(one, tensor.path, name) for one in ranks], name) for tensor in alone]

    kept = [p for n, p in (parameters_of(factory) or {}).items() if n not in ("rank", *_WORLD)]
    whole.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined]  # what randomness it takes is read off it
    return whole


def _of_path(tensors: Sequence[Tensor], path: str, name: str) -> Tensor:
    found = next((tensor for tensor in tensors if tensor.path == path), None)
    if found is None:
        raise UsageError(f"{name}: {path} of the unsharded build is on no rank; every rank must hold a shard of it.")
    return found


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
