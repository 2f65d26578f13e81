"""Matrices that a model multiplies by itself, as parameters in a list, listened to as layers are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

Told = Callable[[str, Any, Any], Any]


def own_matrices(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """The matrices that no layer of torch holds, by path.

    >>> class Net(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.ws, self.head = torch.nn.ParameterList(torch.ones(2, 2) for _ in range(2)), torch.nn.Linear(2, 2)
    >>> list(own_matrices(Net()))
    ['ws.0', 'ws.1']
    """
    found = {}
    for path, module in model.named_modules():
        lists = isinstance(module, (torch.nn.ParameterList, torch.nn.ParameterDict))
        for name, parameter in module._parameters.items():
            if parameter is None or torch.nn.parameter.is_lazy(parameter):
                continue  # of a lazy one there is no shape yet
            if parameter.dim() == 2 and (lists or not _of_torch(module)):
                found[f"{path}.{name}".lstrip(".")] = parameter
    return found


def _of_torch(module: torch.nn.Module) -> bool:
    return type(module).__module__.startswith("torch.")


class Multiplied(TorchFunctionMode):
    """While it lasts, somebody is told what each of some matrices was multiplied with, and what that made.

    >>> w, made = torch.nn.Parameter(torch.ones(3, 2)), []
    >>> with Multiplied({"w": w}, lambda name, given, output: made.append((name, tuple(output.shape)))):
    ...     _ = torch.relu(torch.zeros(5, 2) @ w.T)
    >>> made
    [('w', (5, 3))]

    Args:
        matrices: by path; one that is turned round or laid out otherwise first is still the same.
        told: is given the path, the other factor, and the product.
    """

    def __init__(self, matrices: dict[str, torch.nn.Parameter], told: Told) -> None:
        super().__init__()
        self._names = {id(matrix): name for name, matrix in matrices.items()}
        self._told = told
        self._kept: list[torch.Tensor] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one function, and tell of it where one of the matrices is a factor."""
        made = func(*args, **(kwargs or {}))
        given = [a for a in args if isinstance(a, torch.Tensor)]
        name = next((self._names[id(a)] for a in given if id(a) in self._names), None)
        if name is None or not isinstance(made, torch.Tensor):
            return made
        others = [a for a in given if id(a) not in self._names]
        if others:
            self._told(name, max(others, key=lambda other: other.dim()), made)  # a bias is less than a batch
        elif len(given) == 1 and made.numel() == given[0].numel():
            self._names[id(made)] = name
            self._kept.append(made)  # so that no other tensor takes its identity
        return made
