"""What one operation of torch was given: tensors and numbers, the entries it writes, the generator it draws from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import torch

from initcheck.models.provenance.storages import extent, readable

# Writes to entries that an index or a mask names.
INDEXED = {
    "index_put_": 1, "_index_put_impl_": 1, "masked_fill_": 1, "masked_scatter_": 1, "index_fill_": 2,
    "index_copy_": 2, "scatter_": 2,
}  # fmt: skip

_LEFT_OUT = frozenset({
    "size", "dtype", "layout", "device", "pin_memory", "generator", "memory_format", "dim", "dim0", "dim1", "dims",
    "implicit",
})  # fmt: skip


def tensors_in(values: Iterable[Any]) -> list[torch.Tensor]:
    """The tensors among some values, and in the lists among them."""
    found: list[torch.Tensor] = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found.extend(v for v in value if isinstance(v, torch.Tensor))
    return found


def is_written(value: Any, spec: Any) -> bool:
    """Whether an operation writes this argument in place, as its schema says."""
    return isinstance(value, torch.Tensor) and spec.alias_info is not None and spec.alias_info.is_write


def arguments_of(
    func: Any, args: Any, kwargs: Any, skip: Any, drawn: Callable[[torch.Tensor], bool]
) -> tuple[tuple[str, Any], ...]:
    """The numbers that an operation was given, by name; sizes, devices and generators are left out.

    A number that stands in a tensor of one entry was computed: it is kept as a ``Computed`` float. What was computed
    from draws is no number of a law (two tensors divided by their own norms have one law), and stays a tensor.

    Args:
        func: the operation; its args and kwargs as it was called.
        skip: the tensor that the operation changes.
        drawn: whether draws have a part in a tensor.
    """
    found: list[tuple[str, Any]] = []
    for position, spec in enumerate(func._schema.arguments):
        value = args[position] if position < len(args) else kwargs.get(spec.name, spec.default_value)
        if value is skip or spec.name in _LEFT_OUT:
            continue
        if isinstance(value, torch.Tensor):
            one = value.numel() == 1 and not value.is_meta and not value.dtype.is_complex and readable(value)
            one = one and not drawn(value)
            found.append((spec.name, Computed(value.item()) if one else "tensor"))
        elif isinstance(value, (bool, int, float)):
            found.append((spec.name, value))
    return tuple(found)


class Computed(float):
    """A number that came in a tensor; all of them are one in a recipe, and each is itself in a law."""

    def __repr__(self) -> str:
        return "computed"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Computed)

    def __hash__(self) -> int:
        return hash("computed")


def mask_of(name: str, tensor: torch.Tensor, args: Any) -> torch.Tensor | None:
    """Which entries an indexed write reaches, as a mask of the storage between the tensor's first and last one."""
    start, stop, _ = extent(tensor)
    mask = torch.zeros(stop - start, dtype=torch.bool, device=tensor.device)
    view = mask.as_strided(tuple(tensor.shape), tensor.stride(), 0)
    which: Any = args[INDEXED[name]] if len(args) > INDEXED[name] else None
    try:
        if name in ("index_put_", "_index_put_impl_"):
            view.index_put_(tuple(which), torch.ones((), dtype=torch.bool, device=tensor.device))
        elif name in ("masked_fill_", "masked_scatter_"):
            view.logical_or_(which)
        elif name == "scatter_":
            view.scatter_(args[1], which, torch.ones_like(which, dtype=torch.bool))
        else:
            view.index_fill_(args[1], which, True)
    except (RuntimeError, TypeError, IndexError):
        return None
    return mask


def generator_state(args: Any, kwargs: Any) -> bytes:
    """Digest of the generator that draws: the one that is given, else that of the device that is drawn on."""
    generator = kwargs.get("generator")
    device = next((t.device for t in tensors_in(args)), None) or torch.device(kwargs.get("device") or "cpu")
    if generator is not None:
        device, state = generator.device, generator.get_state()
    elif device.type == "cpu":
        state = torch.default_generator.get_state()
    elif device.type == "meta":
        return b"meta"
    else:
        state = torch.get_device_module(device).get_rng_state(device)
    return hashlib.blake2b(str(device).encode() + state.cpu().numpy().tobytes(), digest_size=16).digest()
