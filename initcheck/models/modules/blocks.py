"""The blocks of a model: the innermost class that is repeated one after another, by number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from initcheck.models.builds.places import kind_of
from initcheck.models.modules.hooks import hooked
from initcheck.models.modules.multiplied import Multiplied, own_matrices
from initcheck.models.modules.outputs import first_tensor
from initcheck.models.signals.chains import Trail, Visit, containers

_BETWEEN = 64
"""Operations between two layers of a chain; norms that are written out take a dozen."""


@contextmanager
def block_trail(model: torch.nn.Module) -> Iterator[list[Visit]]:
    """While it lasts, what goes through every candidate block is noted, in order."""
    modules = dict(model.named_modules())
    holding = [(path, m) for path, m in modules.items() if path and any(True for _ in m.parameters())]
    sequential = {path for path, module in modules.items() if isinstance(module, torch.nn.Sequential)}
    norms = {path for path, m in modules.items() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)}

    def in_order(given: torch.Tensor | None, before: Visit) -> bool:
        return before.container in sequential or _handed_on(given, before)

    own = own_matrices(model)
    layers: list[tuple[list[str], object]] = [(path.split("."), kind_of(m)) for path, m in holding]
    layers += [(path.split("."), tuple(matrix.shape)) for path, matrix in own.items()]
    trail = Trail(containers(layers), norms, in_order)
    own = {path: matrix for path, matrix in own.items() if path in trail.heard}

    def told(name: str, given: Any, output: Any) -> None:
        trail.passed(name, first_tensor(given), first_tensor(output), second_moment)

    with ExitStack() as listening:
        listening.enter_context(hooked({path: m for path, m in modules.items() if path in trail.heard}, told))
        if own:
            listening.enter_context(Multiplied(own, told))
        yield trail.visits


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
