"""On the ranks' CPUs, sharded tensors are drawn as on a device: every shard its own numbers, every replica the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


class ShardGenerator:
    """Stands in for PyTorch's ``OffsetBasedRNGTracker``, which knows devices alone.

    Without it every rank of a CPU mesh draws its shard from one state of its generator, and all shards are copies:
    a fault of the CPU, not of the model. Here a draw begins at a state that follows from the generator's own and from
    the place of the shard in the whole; afterwards the generator stands at one state on every rank.

    Attributes:
        distribute_region_enabled: as PyTorch asks.
    """

    distribute_region_enabled = True

    @classmethod
    def install(cls) -> bool:
        """Have DTensor draw by it; whether this PyTorch can be told."""
        try:
            from torch.distributed.tensor import _random
        except ImportError:
            return False
        if not hasattr(_random, "_rng_tracker"):
            return False
        _random._rng_tracker = cls()  # type: ignore[assignment]
        return True

    @contextmanager
    def _distribute_region(self, spec: Any, generator: torch.Generator | None = None) -> Iterator[None]:
        from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

        # DTensor draws from the default generator, one that the user gave or not; the given one moves on with it.
        default, used = torch.default_generator, generator if generator is not None else torch.default_generator
        kept, before = default.get_state(), used.get_state().numpy().tobytes()
        _, offset = compute_local_shape_and_global_offset(spec.shape, spec.mesh, spec.placements)
        default.manual_seed(_seed(before, f"shard at {tuple(map(int, offset))}"))
        try:
            yield
        finally:
            default.set_state(kept)
            used.manual_seed(_seed(before, "after"))


def _seed(state: bytes, word: str) -> int:
    return int.from_bytes(hashlib.blake2b(state + word.encode(), digest_size=7).digest(), "big")
