"""Edits of expressions: an operand without the operation on it, and one law in place of another."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from initcheck.repairs.edits.edit import Edit, callee, computed
from initcheck.repairs.edits.function_source import FunctionSource

_DRAWS = r"(.*\.)?(normal|uniform|random|standard_normal|randn?|integers|choice|laplace|standard_\w+|default_rng)$"
# Methods of a generator, and what is drawn instead: the law, and how its arguments are written; numbers of [0, 1)
# are stretched to [-1, 1).
_LAWS = {
    "laplace": "normal({all})", "logistic": "normal({all})", "standard_cauchy": "standard_normal({all})",
    "standard_t": "standard_normal({rest})", "random": "",
    "exponential": "normal(0, {all})",
}  # fmt: skip


def operand_edits(source: FunctionSource) -> Iterator[Edit]:
    """Leave an operation out: ``a`` in place of ``a + b``, ``x`` in place of ``f(x)``, one branch of two."""
    for node in computed(source):
        kept: list[ast.expr] = []
        if isinstance(node, ast.BinOp):
            kept = [node.left, node.right]
        elif isinstance(node, ast.IfExp):
            kept = [node.orelse, node.body]
        elif isinstance(node, ast.UnaryOp):
            kept = [node.operand]
        elif isinstance(node, ast.Subscript):
            kept = [node.value]
        elif isinstance(node, ast.Call) and not re.match(_DRAWS, callee(node) or "-"):
            where = callee(node).rpartition(".")[2] == "where" and len(node.args) == 3
            kept = [node.args[2], node.args[1]] if where else [*node.args[:1]]
            if isinstance(node.func, ast.Attribute) and not (
                isinstance(node.func.value, ast.Name) and source.knows(node.func.value.id)
            ):
                kept = [node.func.value]  # of a method: what it is asked of
        for part in kept:
            if isinstance(part, ast.Starred) or (isinstance(part, ast.Constant) and not isinstance(node, ast.IfExp)):
                continue
            text = source.of(part)
            whole = isinstance(part, (ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Compare))
            change = source.change(node, f"({text})" if whole else text)
            yield Edit("operand", f"{text} in place of {source.of(node)}", (change,))


def draw_edits(source: FunctionSource) -> Iterator[Edit]:
    """Draw from another law, from both sides of zero, or round to the nearest."""
    for node in computed(source):
        if not isinstance(node, ast.Call):
            continue
        name = callee(node).rpartition(".")[2]
        owner = callee(node).rpartition(".")[0]
        inside = [source.of(a) for a in node.args]
        named = [f"{k.arg}={source.of(k.value)}" for k in node.keywords]
        if name in _LAWS and owner:
            everything, rest = ", ".join([*inside, *named]), ", ".join([*inside[1:], *named])
            text = f"{owner}.{_LAWS[name].format(all=everything, rest=rest)}"
            text = f"(2 * {source.of(node)} - 1)" if name == "random" else text
            yield Edit("law", f"{text} in place of {source.of(node)}", (source.change(node, text),))
        elif name == "uniform" and len(inside) >= 2 and inside[0] in ("0", "0.0"):
            change = source.change(node.args[0], f"-{_bracketed(node.args[1], inside[1])}")
            yield Edit("law", "draw from both sides of zero", (change,))
        elif name in ("floor", "ceil") and owner:
            change = source.change(node.func, f"{owner}.round")
            yield Edit("law", f"round to the nearest: {owner}.round in place of {owner}.{name}", (change,))
        elif name == "log" and len(inside) == 1:
            text = f"{source.of(node.func)}(1 - {_bracketed(node.args[0], inside[0])})"
            words = f"no uniform number is 1, and some are 0: {text} in place of {source.of(node)}"
            yield Edit("law", words, (source.change(node, text),))


def _bracketed(node: ast.expr, text: str) -> str:
    loose = isinstance(node, ast.IfExp) or (isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)))
    return f"({text})" if loose else text
