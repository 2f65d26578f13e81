"""The blocks of a model: the innermost class that is repeated one after another, by number."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch

from initcheck.models.batches.batch import Batch
from initcheck.models.builds.places import kind_of
from initcheck.models.modules.outputs import first_tensor
from initcheck.models.signals.chains import Visit, containers

_BETWEEN = 64
"""Operations between two layers of a chain; norms that are written out take a dozen."""


@dataclass
class BlockTrail:
    """Hooks on every candidate block; after a forward pass ``visits`` holds what went through, in order."""

    model: torch.nn.Module
    visits: list[Visit] = field(default_factory=list)
    _handles: list[Any] = field(default_factory=list)
    _sequential: set[str] = field(default_factory=set)
    _norms: int = 0

    def __enter__(self) -> BlockTrail:
        modules = dict(self.model.named_modules())
        self._sequential = {path for path, module in modules.items() if isinstance(module, torch.nn.Sequential)}
        holding = [(path, m) for path, m in modules.items() if path and any(True for _ in m.parameters())]
        for name, container in containers((path.split("."), kind_of(m)) for path, m in holding).items():
            hook = self._hook(container, name)
            self._handles.append(modules[name].register_forward_hook(hook, with_kwargs=True))
        for module in modules.values():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                self._handles.append(module.register_forward_hook(self._count))
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _count(self, *_: object) -> None:
        self._norms += 1

    def _hook(self, container: str, name: str) -> Callable[..., None]:
        def note(_module: torch.nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            made, given = first_tensor(output), first_tensor((args, kwargs))
            if made is None:
                return
            visit = Visit(container, name, given, made, tuple(made.shape), second_moment(made), norms=self._norms)
            before = next((v for v in reversed(self.visits) if v.container == container), None)
            visit.serial = before is None or container in self._sequential or _handed_on(given, before)
            self.visits.append(visit)

        return note


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


def _handed_on(given: torch.Tensor | None, before: Visit) -> bool:
    """Whether a block was given what the one before it made, or what was computed of that without another matrix.

    Between two layers of a plain network stand an activation, a norm, a sum with what the one before was given. What
    another matrix has a part in is no chain of these blocks alone.
    """
    made = before.made
    if given is None or made is None:
        return False
    if given is made or (given.shape == made.shape and torch.equal(given, made)):
        return True
    if given.grad_fn is None or made.grad_fn is None:
        return False
    ends = [t.grad_fn for t in (made, before.given) if isinstance(t, torch.Tensor)]
    reached, ahead, seen = False, [given.grad_fn], set()
    while ahead:
        node = ahead.pop()
        if node in ends:
            reached = reached or node is made.grad_fn
            continue
        leaf = getattr(node, "variable", None)
        if node in seen:
            continue
        seen.add(node)
        if len(seen) > _BETWEEN or (leaf is not None and leaf.dim() > 1):
            return False
        ahead += [n for n, _ in node.next_functions if n is not None]
    return reached


def second_moment(tensor: torch.Tensor) -> float:
    """Mean square of the entries.

    Through ten layers of small weights a value is 1e-30, and its square is none that float32 has.
    """
    return float(torch.linalg.vector_norm(tensor.detach(), dtype=torch.float64)) ** 2 / max(1, tensor.numel())
