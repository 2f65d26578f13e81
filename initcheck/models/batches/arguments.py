"""The code of a module's forward, and what it does with an argument that is no single tensor; it is never run."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from torch import nn

_LISTED = 2  # tensors in a list of any length


def parts_of_arguments(forward: Callable[..., Any]) -> dict[str, tuple[str, ...]]:
    """Arguments that are taken apart, and the names of their parts: the keys of a dict, or of a tuple its places.

    A place is named by the variable that it is unpacked into, as ``0:mask``, or by its number alone.

    >>> def forward(self, pair, batch, images: "list[Tensor]", x):
    ...     ids, mask = pair
    ...     return self.inner(ids, batch["input_ids"], x[0]) + sum(images)
    >>> parts_of_arguments(forward)
    {'pair': ('0:ids', '1:mask'), 'batch': ('input_ids',), 'images': ('0', '1')}
    """
    code = code_of(forward)
    if code is None:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for argument in (*code.args.args[1:], *code.args.kwonlyargs):
        parts = tuple(dict.fromkeys(_parts(code, argument.arg))) or _listed(argument)
        if parts:
            found[argument.arg] = parts
    return found


def _parts(code: ast.FunctionDef, name: str) -> Iterator[str]:
    for node in ast.walk(code):
        if isinstance(node, ast.Assign) and _is(node.value, name) and isinstance(node.targets[0], ast.Tuple):
            for place, target in enumerate(node.targets[0].elts):
                yield f"{place}:{target.id}" if isinstance(target, ast.Name) else str(place)
        if isinstance(node, ast.Subscript) and _is(node.value, name):
            key = node.slice.value if isinstance(node.slice, ast.Constant) else None
            if isinstance(key, str):
                yield key


def _listed(argument: ast.arg) -> tuple[str, ...]:
    said = ast.unparse(argument.annotation) if argument.annotation is not None else ""
    listed = said.strip("'\"").lower().removeprefix("typing.").startswith(("list[", "sequence["))
    return tuple(map(str, range(_LISTED))) if listed and "tensor" in said.lower() else ()


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def no_forward(model: nn.Module) -> str | None:
    """Why a module cannot be called, and what of it can; None where it can be.

    >>> class Agent(nn.Module):
    ...     def act(self, x):
    ...         return x
    >>> no_forward(Agent())
    'Agent has no forward of its own: it cannot be run; a factory may set model.forward = model.act'
    """
    function = function_of(model)
    code = code_of(function)
    refuses = code is not None and "NotImplementedError" in ast.unparse(code.body[-1]) and len(code.body) < 3
    if function is not nn.Module.forward and not (refuses and isinstance(code.body[-1], ast.Raise)):  # type: ignore[union-attr]
        return None
    own = {n: f for kind in type(model).__mro__ if kind not in nn.Module.__mro__ for n, f in vars(kind).items()}
    called = [n for n, f in own.items() if inspect.isfunction(f) and n[0] != "_" and n != "forward"]
    given = [n for n in called if len(inspect.signature(own[n]).parameters) > 1]
    said = f"{type(model).__name__} has no forward of its own: it cannot be run"
    return f"{said}; a factory may set model.forward = model.{given[-1]}" if given else said


def keys_taken(model: nn.Module) -> list[str]:
    """The keys that ``forward`` takes of its ``**kwargs``.

    >>> keys_taken(nn.Linear(2, 3))
    []
    """
    code = code_of(function_of(model))
    if code is None or code.args.kwarg is None:
        return []
    own = code.args.kwarg.arg
    items = [n for n in ast.walk(code) if isinstance(n, ast.Subscript) and getattr(n.value, "id", None) == own]
    keys = [n.slice.value for n in items if isinstance(n.slice, ast.Constant)]
    return [key for key in dict.fromkeys(keys) if isinstance(key, str)]


def function_of(module: nn.Module) -> Any:
    """What a call of the module runs, of its object: a factory may have given it another, as torch.compile does."""
    return getattr(module.forward, "__func__", None)


def code_of(function: Callable[..., Any] | None) -> ast.FunctionDef | None:
    """The code of a function; None where it cannot be had, or is none of Python."""
    try:
        (code,) = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function)))).body  # type: ignore[arg-type]
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    return code if isinstance(code, ast.FunctionDef) else None
