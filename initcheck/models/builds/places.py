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


def places(model: torch.nn.Module) -> dict[str, Place]:
    """The place of every parameter.

    A number is starred where it counts blocks of one class (a ``ModuleList``, a homogeneous ``Sequential``). In a
    mixed ``Sequential`` it is a role (``mlp.0`` and ``mlp.2`` may differ by design), unless at least three modules
    of the class stand there and no repeated block encloses it: then the ``Sequential`` is the depth of the network.
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
                inside, block, blocks = True, int(part) + 1, len(module._modules)
            shown.append("*" if star else part)
            module = child
        if isinstance(module, torch.nn.RNNBase):
            leaf = _LAYER.sub("_l*", leaf)
        found[name] = Place(".".join([*shown, leaf]), block, blocks)
    return found


def _repeats(parent: torch.nn.Module, name: str) -> str:
    if not name.isdigit() or not isinstance(parent, (torch.nn.ModuleList, torch.nn.Sequential)):
        return ""
    classes = Counter(kind_of(m) for m in parent.children())
    if len(classes) == 1 and len(parent._modules) > 1:
        return "blocks"
    return "mixed" if classes[kind_of(parent[int(name)])] >= _RUN else ""
