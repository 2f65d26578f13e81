"""What a model's forward does with an argument that is no single tensor: read off its code, never run."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

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
    try:
        (code,) = ast.parse(textwrap.dedent(inspect.getsource(forward))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return {}
    if not isinstance(code, ast.FunctionDef):
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
