"""Layers that stand several times in one list: shared on purpose, or ``[layer] * n``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch

from initcheck.grouping import grouped
from initcheck.models.batches.batch import Batch
from initcheck.models.modules.hooks import run_noting
from initcheck.models.modules.outputs import first_tensor


def repeated_layers(model: torch.nn.Module, batch: Batch) -> tuple[tuple[str, ...], ...]:
    """The names of each layer that stands several times in one list, where it is given one input twice.

    A layer that is applied to what it made itself (ALBERT) is shared to some end; what is given one input makes one
    output, whatever is learned.
    """
    found: list[tuple[torch.nn.Module, tuple[str, ...]]] = []
    for path, module in model.named_modules():
        a_list = isinstance(module, (torch.nn.ModuleList, torch.nn.Sequential))
        # Outside of torch's lists, one word and numbers: a list of Python's that was registered name by name.
        names = grouped(
            (("" if a_list else name.rstrip("0123456789"), child), f"{path}.{name}" if path else name)
            for name, child in module._modules.items()
            if child is not None and (a_list or name[-1:].isdecimal()) and any(True for _ in child.parameters())
        )
        found += [(child, tuple(several)) for (_, child), several in names.items() if len(several) > 1]
    if not found:
        return ()
    again = {module for module, _ in found}
    # Two arguments of one shape hold the same numbers in one of the batches, and not in the other.
    for either in (batch, batch.shuffled()):
        again &= _given_one_input_twice(model, either, again) if again else set()
    return tuple(names for module, names in found if module in again)


def _given_one_input_twice(
    model: torch.nn.Module, batch: Batch, modules: Iterable[torch.nn.Module]
) -> set[torch.nn.Module]:
    given: dict[torch.nn.Module, list[torch.Tensor]] = defaultdict(list)
    again: set[torch.nn.Module] = set()

    def note(module: torch.nn.Module, args: Any, kwargs: Any) -> None:
        tensor = first_tensor((args, kwargs))
        if tensor is not None:
            if any(t.shape == tensor.shape and torch.equal(t, tensor) for t in given[module]):
                again.add(module)
            given[module].append(tensor)

    run_noting(model, batch, modules, note)
    return again
