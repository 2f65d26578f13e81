"""The model as one rank builds it: its pieces, where each begins in the whole, and what nobody wrote."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from initcheck.adapters.signatures.rank_words import RANK, WORLD
from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.torch_build import CANARY, NAN, ModelBuilder
from initcheck.models.ranks.shard_generator import ShardGenerator
from initcheck.models.ranks.told import Piece, RankTold


def told_of_rank(
    factory: Callable[..., Any], name: str, rank: int, world: int, mesh: Mapping[str, int], seeds: Sequence[int]
) -> RankTold:
    """Build under two fills of fresh memory and at another seed, and tell what came.

    A factory with the parameters ``rank`` and ``world`` is given them and needs no process group; one with ``mesh``
    is given a device mesh of the CPU; every other one finds the group of gloo as ``torchrun`` would have made it.

    Args:
        factory: builds the model.
        name: for messages.
        rank, world: of this process.
        mesh: names and sizes of its dimensions; empty for one of them.
        seeds: of the first build and of another.
    """
    started = time.process_time()
    if torch.distributed.is_initialized():
        ShardGenerator.install()
    builder = ModelBuilder(factory, name)
    given: dict[str, Any] = {}
    for words, value in ((RANK, rank), (WORLD, world)):
        word = builder.takes(*words)
        if word is not None:
            given[word] = value
    if builder.takes("mesh", "device_mesh") is not None:
        from torch.distributed.device_mesh import init_device_mesh

        sizes = mesh or {"dp": world}
        given[str(builder.takes("mesh", "device_mesh"))] = init_device_mesh(
            "cpu", tuple(sizes.values()), mesh_dim_names=tuple(sizes)
        )
    builder = ModelBuilder(functools.partial(factory, **given), name)
    first = builder.build(seeds[0], fill=NAN, looks={"where": _where, "name": lambda m, _r: type(m).__name__})
    second = builder.build(seeds[0], fill=CANARY)
    other = builder.build(seeds[1], traced=True)
    pieces = {
        n: _piece(r, second.records.get(n), other.records.get(n), first.looks["where"].get(n, (None, None)))
        for n, r in first.records.items()
    }
    seconds = time.process_time() - started
    return RankTold(rank, pieces, dict(first.tied), first.looks["name"], None, seconds)


def _where(model: torch.nn.Module, records: Mapping[str, TensorRecord]) -> dict[str, Any]:
    """Shape of the whole and offset of this rank's piece, of tensors that know them."""
    found: dict[str, Any] = {}
    for path, tensor in (*model.named_parameters(remove_duplicate=False), *model.named_buffers()):
        place = _placed(tensor)
        if place is not None:
            for name in records:
                if name == path or name.startswith(path + "."):
                    found[name] = place
    return found


def _placed(tensor: Any) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    if not (hasattr(tensor, "placements") and hasattr(tensor, "device_mesh")):
        return None
    from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

    _, offset = compute_local_shape_and_global_offset(tensor.shape, tensor.device_mesh, tensor.placements)
    return tuple(int(n) for n in tensor.shape), tuple(int(n) for n in offset)


def _piece(record: TensorRecord, canary: TensorRecord | None, other: TensorRecord | None, place: Any) -> Piece:
    whole, offset = place
    unwritten = record.unwritten if canary is not None and canary.unwritten and record.real else 0
    moves = other is not None and other.digest != record.digest
    named = record.law.named
    return Piece(
        name=record.name,
        shape=record.shape,
        whole=whole,
        offset=offset,
        parameter=record.parameter,
        dtype=record.dtype,
        count=record.count,
        squares=record.own.squares if record.own.count else 0.0,
        total=record.total,
        digest=record.digest,
        random=record.real and not record.constant and not unwritten and bool(record.draws or moves),
        constant=record.constant,
        never=unwritten,
        law=record.law_text,
        std=record.law.std if named else None,
        site=record.law.site,
        draws=tuple((d.state, d.number, d.entries, d.site) for d in record.draws),
    )
