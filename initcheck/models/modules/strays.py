"""What is trainable in a module of torch and is no parameter of it, so that an optimizer never sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch

from initcheck.models.batches.batch import Batch
from initcheck.models.modules.outputs import tensors_in

_DEEPEST = 4
"""Lists in lists that are looked into for what is no parameter."""


def strays(model: torch.nn.Module, batch: Batch) -> tuple[str, ...]:
    """What is trainable, has a part in what is returned, and is no parameter: an optimizer never sees it.

    Layers in a list or a dict of Python, a Parameter that was multiplied or moved to a device when it was kept, and is
    a tensor like any other since. What the model makes while it runs is none of these.
    """
    own = {id(p) for p in model.parameters()}
    kept = {n: t for n, t in _kept(model) if t.requires_grad and id(t) not in own}
    if not kept:
        return ()
    with torch.enable_grad():
        nodes = _behind(t.grad_fn for t in tensors_in(batch.run(model)))
    leaves = _leaves(nodes)
    # A state that an earlier run left behind is made of the parameters alone.
    return tuple(
        n for n, t in kept.items() if id(t) in leaves or (t.grad_fn in nodes and _leaves(_behind([t.grad_fn])) - own)
    )


def _behind(ends: Iterable[Any]) -> set[Any]:
    """The nodes of a graph of autograd that lead to these."""
    found: set[Any] = set()
    ahead = [node for node in ends if node is not None]
    while ahead:
        node = ahead.pop()
        if node not in found:
            found.add(node)
            ahead += [n for n, _ in node.next_functions if n is not None]
    return found


def _leaves(nodes: Iterable[Any]) -> set[int]:
    return {id(node.variable) for node in nodes if hasattr(node, "variable")}


def _kept(model: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Tensors of modules that they hold as plain attributes, alone or in lists and dicts; those of layers kept so."""
    known = set(model.modules())

    def inside(path: str, value: Any, depth: int) -> Iterator[tuple[str, torch.Tensor]]:
        if isinstance(value, torch.Tensor):
            yield path, value
        elif isinstance(value, torch.nn.Module):
            if value not in known:
                known.add(value)
                yield from ((f"{path}.{n}", p) for n, p in value.named_parameters())
        elif depth < _DEEPEST and isinstance(value, (list, tuple, dict)):
            for key, one in value.items() if isinstance(value, dict) else enumerate(value):
                yield from inside(f"{path}.{key}", one, depth + 1)

    for name, module in model.named_modules():
        for key, value in vars(module).items():
            if key not in ("_parameters", "_buffers", "_modules"):
                yield from inside(f"{name}.{key}" if name else key, value, 0)
