"""The class that a module was written as."""

from __future__ import annotations

import torch

__all__ = ["kind_of"]


def kind_of(module: torch.nn.Module) -> type:
    """The class of a module, without the one that a wrapper of torch makes for every module it wraps.

    >>> from torch.nn.utils.parametrizations import weight_norm
    >>> kind_of(weight_norm(torch.nn.Linear(2, 2))).__name__
    'Linear'
    """
    kind = type(module)
    # Parametrizations and fully_shard derive a class of their own from the module's, and give it no module.
    while kind.__name__.startswith(("Parametrized", "FSDP")) and len(kind.__bases__) >= 1 and kind.__mro__[1:-1]:
        base = next((b for b in kind.__bases__ if issubclass(b, torch.nn.Module) and b.__name__ != "FSDPModule"), None)
        if base is None or base is torch.nn.Module or not kind.__name__.endswith(base.__name__):
            break
        kind = base
    return kind
