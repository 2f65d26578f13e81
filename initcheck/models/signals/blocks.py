"""The blocks of a model: the innermost class that is repeated one after another in a ModuleList or Sequential."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from initcheck.models.builds.kinds import kind_of

__all__ = ["BlockTrail", "Visit", "chains", "first_tensor"]

_FEWEST = 2
_LONG = 4


@dataclass
class Visit:
    """One pass of the signal through one candidate block.

    Attributes:
        container, name: path of the container and of the block.
        given, made: the tensor that went in and the one that came out; dropped once they were compared.
        serial: the tensor that went in is the one that the block before it made.
        shape: of what came out.
        energy: its second moment.
    """

    container: str
    name: str
    given: torch.Tensor | None
    made: torch.Tensor | None
    shape: tuple[int, ...]
    energy: float
    serial: bool = False


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
                if classes[kind_of(child)] >= _FEWEST and any(True for _ in child.parameters()):
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


def chains(visits: Sequence[Visit]) -> list[list[Visit]]:
    """Runs of blocks that the signal goes through one after another, innermost, cut where the shape changes.

    A container whose children do not hand on to one another (the experts of a mixture, parallel branches) is no
    chain. Where chains lie within one another the innermost counts.
    """
    by_container: dict[str, list[Visit]] = {}
    for visit in visits:
        by_container.setdefault(visit.container, []).append(visit)
    serial = {
        path: found
        for path, found in by_container.items()
        if len(found) == len({v.name for v in found}) >= _FEWEST and sum(v.serial for v in found) >= 0.8 * len(found)
    }
    # The outer container is dropped only where most of its blocks hold a chain of their own (stages of a
    # convolutional network), not where a block holds some small Sequential.
    inner = {path for path in serial if not _holds_longer_chains(path, serial)}
    inner = {p for p in inner if not any(q != p and _inside(p, q, serial) and q in inner for q in serial)}
    runs: list[list[Visit]] = []
    for path in by_container:
        if path not in inner:
            continue
        run: list[Visit] = []
        for visit in serial[path]:
            if run and visit.shape != run[-1].shape:
                runs.append(run)
                run = []
            run.append(visit)
        runs.append(run)
    return [run for run in runs if run]


def first_tensor(value: Any) -> torch.Tensor | None:
    """The first tensor of real numbers in a (nested) tuple, list, mapping or output object."""
    if isinstance(value, torch.Tensor):
        return value if value.dtype.is_floating_point else None
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return next((t for t in map(first_tensor, value) if t is not None), None)
    return None


def _holds_longer_chains(path: str, serial: dict[str, list[Visit]]) -> bool:
    """Whether every block of this chain is itself a chain of blocks, so that it is a list of stages."""
    names = [v.name for v in serial[path]]
    nested = [q for q in serial if q != path and q.startswith(f"{path}." if path else "")]
    longest = {n: max((len(serial[q]) for q in nested if q == n or q.startswith(n + ".")), default=0) for n in names}
    shapes = {v.shape for v in serial[path]}
    stages = sum(n >= _FEWEST for n in longest.values()) >= len(names) / 2 or max(longest.values()) >= _LONG
    return len(shapes) > 1 and stages


def _inside(path: str, outer: str, serial: dict[str, list[Visit]]) -> bool:
    return any(path == v.name or path.startswith(v.name + ".") for v in serial[outer])


def _same(given: torch.Tensor | None, made: torch.Tensor | None) -> bool:
    if given is None or made is None or given.shape != made.shape:
        return False
    return given is made or torch.equal(given, made)


def _second_moment(tensor: torch.Tensor) -> float:
    return float(tensor.detach().float().square().sum(dtype=torch.float64)) / tensor.numel() if tensor.numel() else 0.0
