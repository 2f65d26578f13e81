"""Edits of whole statements, and of what is returned: one taken out, a copy, a dtype, axes, a forgotten ``return``."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator

from initcheck.repairs.edits.edit import Edit, is_text, outside_loops
from initcheck.repairs.edits.function_source import Change, FunctionSource


def statement_edits(source: FunctionSource) -> Iterator[Edit]:
    """Take one statement out: a call, a write to some entries, a loop; or do always what is done under a condition."""
    for decorator in source.tree.decorator_list:
        start, end = source.span(decorator)
        line = Change(start - 1, end + 1, "")  # with its @ and the end of the line
        yield Edit("statement", f"leave out @{source.of(decorator)}", (line,))
    for node in outside_loops(source):
        if isinstance(node, (ast.Expr, ast.AugAssign, ast.For, ast.Global)) and not is_text(node):
            if isinstance(node, ast.Global) or isinstance(getattr(node, "value", None), (ast.Yield, ast.YieldFrom)):
                continue
            yield _without(source, node)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], (ast.Subscript, ast.Attribute)):
            yield _without(source, node)
        elif isinstance(node, ast.If):
            said = source.of(node.test)
            if isinstance(node.test, ast.Compare) and isinstance(node.test.ops[0], (ast.In, ast.NotIn, ast.Is, ast.Eq)):
                # What is done once and remembered.
                words = f"do it in every call, not only if {said}"
                yield Edit("statement", words, (source.change(node, _body(source, node)),))
            if not node.orelse and len(source.tree.body) > 1:
                yield _without(source, node)


def return_edits(source: FunctionSource) -> Iterator[Edit]:
    """Change what is handed back, and nothing of how it is drawn."""
    last = source.tree.body[-1]
    if isinstance(last, ast.Expr) and not is_text(last):
        before = source.change(last, f"return {source.of(last)}")
        yield Edit("return", "return what is drawn", (before,))
    returned = returns_of(source)
    if not returned:
        return
    dtype = next((n for n in source.names if n in ("dtype", "param_dtype")), None)
    single = "np.float32" if source.knows("np") else "'float32'"
    tails = [
        ("copy", "return a copy, which is the caller's own", ".copy()"),
        ("dtype", "return the dtype that was asked for", f".astype({dtype or single})"),
        ("axes", "the axes are exchanged", ".T"),
    ]
    for kind, words, tail in tails:
        changes = [source.change(value, f"{_operand(source, value)}{tail}") for value in returned]
        yield Edit(kind, words, tuple(changes))


def returns_of(source: FunctionSource) -> list[ast.expr]:
    """What the function returns, place by place; nothing of functions inside it."""
    found: list[ast.expr] = []
    waiting: list[ast.AST] = list(source.tree.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            continue
        if isinstance(node, ast.Return) and node.value is not None:
            found.append(node.value)
        waiting = [*ast.iter_child_nodes(node), *waiting]
    return found


def _operand(source: FunctionSource, value: ast.expr) -> str:
    plain = isinstance(value, (ast.Name, ast.Call, ast.Subscript, ast.Attribute))
    return source.of(value) if plain else f"({source.of(value)})"


def _without(source: FunctionSource, node: ast.stmt) -> Edit:
    said = source.of(node).splitlines()[0]
    return Edit("statement", f"leave out `{said}`", (source.without(node),))


def _body(source: FunctionSource, node: ast.If) -> str:
    """The body of an ``if``, as deep as the ``if`` stands."""
    text = source.text.encode()
    start, end = source.span(node.body[0])[0], source.span(node.body[-1])[1]
    inner = " " * node.body[0].col_offset + text[start:end].decode()
    lines = textwrap.dedent(inner).splitlines()
    return ("\n" + " " * node.col_offset).join(lines)
