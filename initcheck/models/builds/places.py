"""Where the parameters of a module of torch stand: its blocks, and the classes that its modules were written as."""

from __future__ import annotations

import re
from collections import Counter

import torch

from initcheck.models.builds.roles import Place

_RUN = 3
_LAYER = re.compile(r"_l\d+(_reverse)?$")


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


def bases(model: torch.nn.Module) -> dict[str, tuple[str, ...]]:
    """The layers of torch that the classes of a model are derived from, by name, where they draw as those do.

    >>> class Quiet(torch.nn.Linear): ...
    >>> bases(torch.nn.Sequential(Quiet(2, 2), torch.nn.ReLU()))
    {'Quiet': ('Linear',)}
    """
    kinds = {kind_of(m) for m in model.modules()}
    found = {
        k.__name__: tuple(b.__name__ for b in k.__mro__[1:] if _of_torch(b) and b is not torch.nn.Module)
        for k in sorted(kinds, key=lambda k: k.__name__)
        if not _of_torch(k) and getattr(getattr(k, "reset_parameters", None), "__module__", "").startswith("torch.")
    }
    return {name: names for name, names in found.items() if names}


def classes_of(model: torch.nn.Module) -> frozenset[str]:
    """The names of the classes of a model's modules."""
    return frozenset(type(m).__name__ for m in model.modules())


def holders(model: torch.nn.Module) -> frozenset[str]:
    """Layers of torch that hold a matrix beside layers of their own, as ``MultiheadAttention`` does."""
    return frozenset(
        kind_of(m).__name__
        for m in model.modules()
        if _of_torch(kind_of(m)) and any(True for _ in m.children()) and any(p.dim() > 1 for p in m.parameters(False))
    )


def _of_torch(kind: type) -> bool:
    return issubclass(kind, torch.nn.Module) and kind.__module__.startswith("torch.")


def places(model: torch.nn.Module) -> dict[str, Place]:
    """The place of every parameter.

    A number is starred where it counts blocks of one class (a ``ModuleList``, a ``ModuleDict``, a homogeneous
    ``Sequential``). In a mixed ``Sequential`` it is a role (``mlp.0`` and ``mlp.2`` may differ by design), unless at
    least three modules of the class stand there and no repeated block encloses it: then the ``Sequential`` is the
    depth of the network.
    """
    found: dict[str, Place] = {}
    for name, _ in model.named_parameters(remove_duplicate=False):
        *modules, leaf = name.split(".")
        shown: list[str] = []
        module: torch.nn.Module = model
        block = blocks = None
        inside = False
        for part in modules:
            child = module._modules[part]
            assert child is not None
            kind = _repeats(module, part)
            star = kind == "blocks" or (kind == "mixed" and not inside)
            if kind == "blocks":
                inside, block, blocks = True, _rank(module, part), len(module._modules)
            shown.append("*" if star else part)
            module = child
        if isinstance(module, torch.nn.RNNBase):
            leaf = _LAYER.sub("_l*", leaf)
        found[name] = Place(".".join([*shown, leaf]), block, blocks)
    return found


def _rank(parent: torch.nn.Module, name: str) -> int:
    """The number of a block, from 1: a dict may count its own from 1, or by something else than depth."""
    if not isinstance(parent, torch.nn.ModuleDict):
        return int(name) + 1
    return 1 + sum(other.isdecimal() and int(other) < int(name) for other in parent)


def _repeats(parent: torch.nn.Module, name: str) -> str:
    if not name.isdecimal() or not isinstance(parent, (torch.nn.ModuleList, torch.nn.ModuleDict, torch.nn.Sequential)):
        return ""
    classes = Counter(kind_of(m) for m in parent.children())
    if len(classes) == 1 and len(parent._modules) > 1:
        return "blocks"
    child = parent._modules[name]
    return "mixed" if child is not None and classes[kind_of(child)] >= _RUN else ""
