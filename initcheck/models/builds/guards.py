"""Init statements behind a guard on names that never ran: the only sign of a scaling that was bypassed."""

from __future__ import annotations

import ast
import contextlib
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import CodeType, FrameType, FunctionType
from typing import Any

import torch

__all__ = ["Guard", "LineWatch", "name_guards"]

_WRITES = frozenset({
    "normal_", "uniform_", "trunc_normal_", "xavier_uniform_", "xavier_normal_", "kaiming_uniform_",
    "kaiming_normal_", "orthogonal_", "zeros_", "ones_", "constant_", "fill_", "zero_", "mul_", "div_", "copy_",
    "sparse_", "eye_", "dirac_", "add_",
})  # fmt: skip

_MATCHES = frozenset({"endswith", "startswith", "match", "fullmatch", "search", "fnmatch", "fnmatchcase"})


@dataclass(frozen=True)
class Guard:
    """One ``if`` that asks for a name and holds init statements.

    Attributes:
        file, line: of the ``if``.
        condition: its source.
        body: lines of the init statements behind it.
        code: the code object it stands in.
    """

    file: str
    line: int
    condition: str
    body: tuple[int, ...]
    code: CodeType


def name_guards(model: torch.nn.Module, factory: Callable[..., Any]) -> tuple[Guard, ...]:
    """The guards in the methods of the model's own classes and in the factory."""
    found: list[Guard] = []
    for function in _functions(model, factory):
        found.extend(_guards_of(function))
    return tuple(sorted(found, key=lambda g: (g.file, g.line)))


class LineWatch(contextlib.AbstractContextManager["LineWatch"]):
    """Notes which lines of a few functions run; every other function costs one look-up a call."""

    def __init__(self, codes: Iterable[CodeType]) -> None:
        self._codes = frozenset(codes)
        self.lines: set[tuple[str, int]] = set()
        self._before: Any = None

    def __enter__(self) -> LineWatch:
        self._before = sys.gettrace()
        sys.settrace(self._on_call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _on_call(self, frame: FrameType, event: str, _arg: Any) -> Any:
        if frame.f_code not in self._codes:
            return None
        return self._on_line

    def _on_line(self, frame: FrameType, event: str, _arg: Any) -> Any:
        if event == "line":
            self.lines.add((frame.f_code.co_filename, frame.f_lineno))
        return self._on_line

    def never_ran(self, guards: Iterable[Guard]) -> list[Guard]:
        """The guards that were asked and whose init statements never ran."""
        return [
            g
            for g in guards
            if (g.file, g.line) in self.lines and not any((g.file, line) in self.lines for line in g.body)
        ]


def _functions(model: torch.nn.Module, factory: Callable[..., Any]) -> Iterator[FunctionType]:
    seen: set[CodeType] = set()
    candidates: list[Any] = [getattr(factory, "func", factory)]
    for cls in dict.fromkeys(c for m in model.modules() for c in type(m).__mro__):
        if cls.__module__.partition(".")[0] not in ("torch", "builtins"):
            candidates.extend(vars(cls).values())
    for value in candidates:
        function = (
            inspect.unwrap(getattr(value, "__func__", value)) if callable(value) or hasattr(value, "__func__") else None
        )
        if isinstance(function, FunctionType) and function.__code__ not in seen:
            names = set(function.__code__.co_names)
            seen.add(function.__code__)
            if names & _WRITES or "init" in names:
                yield function


def _guards_of(function: FunctionType) -> Iterator[Guard]:
    code = function.__code__
    try:
        source = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(source)
    except (OSError, TypeError, SyntaxError, ValueError):
        return
    offset = code.co_firstlineno - 1
    names = _name_variables(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and _asks_for_a_name(node.test, names):
            body = tuple(
                sorted(
                    {
                        c.lineno + offset
                        for s in node.body
                        for c in ast.walk(s)
                        if isinstance(c, ast.Call) and _is_init_call(c)
                    }
                )
            )
            if body:
                yield Guard(code.co_filename, node.lineno + offset, ast.unparse(node.test), body, code)


def _name_variables(tree: ast.AST) -> set[str]:
    """Variables that hold a name: parameters called so, and what loops over named parameters or modules yield."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and "name" in node.arg:
            found.add(node.arg)
        if isinstance(node, (ast.For, ast.comprehension)):
            looped = ast.unparse(node.iter)
            if ".named_" in looped or "state_dict()" in looped:
                found |= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
    return found


def _asks_for_a_name(test: ast.expr, names: set[str]) -> bool:
    """A name compared with text, or a flag in capitals that is looked for on a module."""
    for node in ast.walk(test):
        if isinstance(node, ast.Call):
            texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            called = getattr(node.func, "id", "")
            if called in ("hasattr", "getattr") and any(t.isupper() for t in texts):
                return True
        used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & names
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in _MATCHES and used:
            return True
        if isinstance(node, ast.Compare) and used and isinstance(node.ops[0], (ast.In, ast.NotIn, ast.Eq, ast.NotEq)):
            return True
    return False


def _is_init_call(node: ast.Call) -> bool:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in _WRITES
