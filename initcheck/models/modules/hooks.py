"""Layers of a module of torch listened to: what each was given and made, in one run after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from initcheck.models.batches.batch import Batch

Told = Callable[[str, Any, Any], Any]
"""Is told the path of a layer, what it was given and what it made; what it returns, if anything, stands in for that."""


@contextmanager
def hooked(layers: Mapping[str, torch.nn.Module], told: Told) -> Iterator[None]:
    """While it lasts, somebody is told of every call of these layers.

    >>> made = {}
    >>> net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU())
    >>> with hooked(layers_with_parameters(net), lambda name, given, output: made.update({name: output.shape})):
    ...     _ = net(torch.zeros(5, 3))
    >>> made
    {'0': torch.Size([5, 2])}
    """
    handles = [
        layer.register_forward_hook(
            lambda _layer, args, kwargs, made, name=name: told(name, (args, kwargs), made), with_kwargs=True
        )
        for name, layer in layers.items()
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def layers_with_parameters(model: torch.nn.Module) -> dict[str, torch.nn.Module]:
    """The layers that hold parameters of their own, the model itself among them, by path."""
    return {name: m for name, m in model.named_modules() if any(True for _ in m.parameters(recurse=False))}


def run_noting(
    model: torch.nn.Module,
    batch: Batch,
    modules: Iterable[torch.nn.Module],
    note: Callable[[torch.nn.Module, Any, Any], None],
) -> None:
    """Run a model once, without gradients, and tell what each of these modules is given: itself, args and kwargs."""
    handles = [module.register_forward_pre_hook(note, with_kwargs=True) for module in modules]
    try:
        with torch.no_grad():
            batch.run(model)
    finally:
        for handle in handles:
            handle.remove()
