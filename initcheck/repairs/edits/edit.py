"""One edit of a function's source: what kind, in words, and which pieces change."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from initcheck.repairs.edits.function_source import Change, FunctionSource


@dataclass(frozen=True)
class Edit:
    """What somebody might write instead.

    Attributes:
        kind: ``generator``, ``statement``, ``fan``, ``number``, ...
        words: what to change, in a sentence.
        changes: the pieces of the source.
    """

    kind: str
    words: str
    changes: tuple[Change, ...]


def callee(node: ast.AST) -> str:
    """The dotted name of what is called; empty where it has none.

    >>> callee(ast.parse("np.random.normal(0, 1)").body[0].value)
    'np.random.normal'
    """
    parts: list[str] = []
    here: ast.AST = node.func if isinstance(node, ast.Call) else node
    while isinstance(here, ast.Attribute):
        parts.append(here.attr)
        here = here.value
    if not isinstance(here, ast.Name):
        return ""
    return ".".join([here.id, *reversed(parts)])


def is_text(node: ast.AST) -> bool:
    """Whether a statement is a constant alone, such as a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def outside_loops(source: FunctionSource) -> Iterator[ast.AST]:
    """Every node of the body that no ``while`` holds: a changed one might never end."""
    waiting: list[ast.AST] = list(source.tree.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.While):
            continue
        yield node
        waiting = [*ast.iter_child_nodes(node), *waiting]


def computed(source: FunctionSource) -> Iterator[ast.expr]:
    """Every expression outside of loops that computes a value; no annotation, no target, no call's function."""
    left: set[int] = set()
    for node in outside_loops(source):
        if isinstance(node, ast.AnnAssign):
            left |= {id(n) for n in ast.walk(node.annotation)}
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            left |= {id(t) for t in targets}
        if isinstance(node, ast.Call):
            left.add(id(node.func))
        if is_text(node):
            left.add(id(node.value))  # type: ignore[attr-defined]
        if isinstance(node, ast.JoinedStr):
            left |= {id(n) for n in ast.walk(node)}
        if isinstance(node, ast.expr) and id(node) not in left:
            yield node
