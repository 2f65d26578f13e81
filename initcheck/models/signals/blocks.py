"""The blocks of a model: the innermost class that is repeated one after another in a ModuleList or Sequential."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from initcheck.models.builds.places import kind_of
from initcheck.models.signals.chains import FEWEST_SIBLINGS, Visit

__all__ = ["BlockTrail", "first_tensor"]


@dataclass
class BlockTrail:
    """Hooks on every candidate block; after a forward pass ``visits`` holds what went through, in order."""

    model: torch.nn.Module
    visits: list[Visit] = field(default_factory=list)
    _handles: list[Any] = field(default_factory=list)
    _sequential: set[str] = field(default_factory=set)

    def __enter__(self) -> BlockTrail:
        for path, module in self.model.named_modules():
            if not isinstance(module, (torch.nn.ModuleList, torch.nn.Sequential)):
                continue
            classes = Counter(kind_of(child) for child in module.children())
            if isinstance(module, torch.nn.Sequential):
                self._sequential.add(path)
            for name, child in module.named_children():
                if classes[kind_of(child)] >= FEWEST_SIBLINGS and any(True for _ in child.parameters()):
                    full = f"{path}.{name}" if path else name
                    self._handles.append(child.register_forward_hook(self._hook(path, full), with_kwargs=True))
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _hook(self, container: str, name: str) -> Callable[..., None]:
        def note(_module: torch.nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            made, given = first_tensor(output), first_tensor((args, kwargs))
            if made is None:
                return
            visit = Visit(container, name, given, made, tuple(made.shape), _second_moment(made))
            before = next((v for v in reversed(self.visits) if v.container == container), None)
            if before is not None:
                visit.serial = container in self._sequential or _same(given, before.made)
            else:
                visit.serial = True
            self.visits.append(visit)

        return note


def first_tensor(value: Any) -> torch.Tensor | None:
    """The first tensor of real numbers in a (nested) tuple, list, mapping or output object."""
    if isinstance(value, torch.Tensor):
        return value if value.dtype.is_floating_point else None
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return next((t for t in map(first_tensor, value) if t is not None), None)
    return None


def _same(given: torch.Tensor | None, made: torch.Tensor | None) -> bool:
    if given is None or made is None or given.shape != made.shape:
        return False
    return given is made or torch.equal(given, made)


def _second_moment(tensor: torch.Tensor) -> float:
    return float(tensor.detach().float().square().sum(dtype=torch.float64)) / tensor.numel() if tensor.numel() else 0.0
