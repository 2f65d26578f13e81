"""Ties that a build of a module of torch made, and undid again."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from typing import Any

import torch
from torch.nn.modules.module import register_module_parameter_registration_hook


class TieWatch(contextlib.AbstractContextManager["TieWatch"]):
    """While it lasts, notes which modules are given one parameter; nothing is kept alive by it.

    >>> with TieWatch() as watch:
    ...     net = torch.nn.Sequential(torch.nn.Embedding(4, 3), torch.nn.Linear(3, 4, bias=False))
    ...     net[1].weight = net[0].weight
    ...     before = list(watch.undone(net))
    ...     net[1].weight = torch.nn.Parameter(torch.ones(4, 3))
    >>> before, list(watch.undone(net))
    ([], [('1.weight', '0.weight')])
    """

    def __init__(self) -> None:
        self._given: dict[int, tuple[weakref.ref[Any], list[tuple[weakref.ref[Any], str]]]] = {}
        self._hook: Any = None

    def __enter__(self) -> TieWatch:
        self._hook = register_module_parameter_registration_hook(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        self._hook.remove()

    def _note(self, module: torch.nn.Module, name: str, parameter: torch.nn.Parameter | None) -> None:
        if parameter is None:
            return
        known = self._given.get(id(parameter))
        if known is None or known[0]() is not parameter:
            known = self._given[id(parameter)] = weakref.ref(parameter), []
        known[1].append((weakref.ref(module), name))

    def undone(self, model: torch.nn.Module) -> Iterator[tuple[str, str]]:
        """Two names that had one parameter and have one each now, of modules that are both in the model.

        Not where one of the two is frozen: a copy that nothing trains is kept apart on purpose.
        """
        paths = {module: path for path, module in model.named_modules()}
        for _, places in self._given.values():
            held = {}
            for reference, name in places:
                module = reference()
                now = module._parameters.get(name) if module is not None and module in paths else None
                if now is not None:
                    held[f"{paths[module]}.{name}".lstrip(".")] = now
            first, *others = held or ("",)
            apart = (name for name in others if held[name] is not held[first])
            yield from ((name, first) for name in apart if held[name].requires_grad == held[first].requires_grad)
