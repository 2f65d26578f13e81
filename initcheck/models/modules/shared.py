"""Layers of torch that stand in a model under several names, as ``[layer] * n`` makes them."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterator

import torch

_LISTS = torch.nn.ModuleList, torch.nn.Sequential, torch.nn.ModuleDict


def shared_layers(model: torch.nn.Module) -> dict[tuple[str, ...], str]:
    """Names of one layer -> the parameter whose default value it is; nothing where it fills a list alone.

    A list is made for layers that differ: of a layer that is shared on purpose one name is enough. A default argument
    is made once, when the class is.

    >>> block = torch.nn.Linear(2, 2)
    >>> shared_layers(torch.nn.Sequential(torch.nn.Sequential(block, block), torch.nn.Linear(2, 2)))
    {('0.0', '0.1'): ''}
    """
    return dict((*_lists_of_one(model), *_defaults(model)))


def _lists_of_one(model: torch.nn.Module) -> Iterator[tuple[tuple[str, ...], str]]:
    for path, module in model.named_modules():
        held = {n: m for n, m in module._modules.items() if m is not None} if isinstance(module, _LISTS) else {}
        if len(held) > 1 and len(set(held.values())) == 1 and any(p.dim() > 1 for p in module.parameters()):
            yield tuple(f"{path}.{n}" if path else n for n in held), ""


def _defaults(model: torch.nn.Module) -> Iterator[tuple[tuple[str, ...], str]]:
    found: dict[tuple[str, torch.nn.Module], list[str]] = defaultdict(list)
    parameters: dict[type, dict[str, torch.nn.Module]] = {}
    for path, module in model.named_modules():
        kind = type(module)
        if kind not in parameters:
            parameters[kind] = _modules_by_default(kind)
        for word, default in parameters[kind].items():
            for name, child in module._modules.items():
                if child is default and any(True for _ in default.parameters()):
                    found[f"{kind.__name__}({word}=...)", default].append(f"{path}.{name}" if path else name)
    for (default_of, _), names in found.items():
        if len(names) > 1:
            yield tuple(names), default_of


def _modules_by_default(kind: type) -> dict[str, torch.nn.Module]:
    if kind.__module__.startswith("torch."):
        return {}
    try:
        parameters = inspect.signature(kind.__init__).parameters  # type: ignore[misc]  # what the class calls, not a subclass
    except (TypeError, ValueError):
        return {}
    return {n: p.default for n, p in parameters.items() if isinstance(p.default, torch.nn.Module)}
