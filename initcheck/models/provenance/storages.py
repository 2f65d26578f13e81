"""Which entries of which storage a tensor reaches."""

from __future__ import annotations

from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef

from initcheck.models.provenance.plain import plain_tensors, wraps
from initcheck.models.provenance.steps import Region


def plain_target(target: torch.Tensor | None, tensor: torch.Tensor) -> torch.Tensor | None:
    """The tensor that an init function was given, where the one that is written shares its storage."""
    if target is None or target.is_meta:
        return None
    try:
        inner = [t for _, t in plain_tensors(target)]
    except (RuntimeError, TypeError):  # a storage without an address, a tensor that shows no numbers
        return None
    place = tensor.untyped_storage()._cdata if readable(tensor) else None
    return next((t for t in inner if readable(t) and t.untyped_storage()._cdata == place), None)


def readable(tensor: torch.Tensor) -> bool:
    """Whether a tensor has a storage of its own whose entries lie where its strides say."""
    return tensor.layout == torch.strided and not wraps(type(tensor))


def extent(tensor: torch.Tensor) -> tuple[int, int, bool]:
    """First and last-plus-one entry of the storage that a tensor reaches, and whether it fills the gap."""
    if not readable(tensor) or not tensor.numel():
        return 0, 0, False
    start = int(tensor.storage_offset())
    stop = start + 1 + sum((n - 1) * int(s) for n, s in zip(tensor.shape, tensor.stride(), strict=True))
    return start, stop, tensor.numel() == stop - start


def region_of(tensor: torch.Tensor) -> Region | None:
    """The entries of its storage that a tensor reaches; None where it has no storage of its own."""
    if not readable(tensor):
        return None
    return Region(int(tensor.storage_offset()), tuple(tensor.shape), tuple(tensor.stride()))


def reference_of(tensor: torch.Tensor) -> Any:
    """A weak reference to its storage, which keeps the address from being used again."""
    return StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]


def is_expired(reference: Any) -> bool:
    """Whether the storage of a reference is gone."""
    return bool(reference.expired())
