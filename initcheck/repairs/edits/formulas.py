"""Edits of the formula of a scale: a number, a fan, a root."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator

from initcheck.adapters.signatures.signature import KERNEL_ROLES, role_of
from initcheck.contract.contract import ACTIVATIONS, FANS
from initcheck.repairs.edits.edit import Edit, callee, computed
from initcheck.repairs.edits.function_source import FunctionSource

# Numbers that somebody writes.
_NICE = (0.0, 0.02, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 0.25, 0.1, 0.01, 0.125, 0.75, 1 / 3, 5.0, 10.0)
_ROOT = r"(.*\.)?sqrt$"
_FANS = (("fan_in", "fan_out"), ("n_in", "n_out"), ("fanin", "fanout"), ("in_features", "out_features"),
         ("in_dim", "out_dim"), ("d_in", "d_out"), ("rows", "cols"))  # fmt: skip


def number_edits(source: FunctionSource, square: float | None) -> Iterator[Edit]:
    """Write another number in the place of one; near the power of the ratio that is missing.

    Args:
        source: of the function.
        square: what the variance must be multiplied by; None where it is not one number.
    """
    exponents = {id(n.right) for n in computed(source) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Pow)}
    products = (n for n in computed(source) if isinstance(n, ast.BinOp) and isinstance(n.op, (ast.Mult, ast.Div)))
    factors = {id(side) for n in products for side in (n.left, n.right)}
    indices = {id(n) for s in computed(source) if isinstance(s, ast.Subscript) for n in ast.walk(s.slice)}
    for node in computed(source):
        now = _number(node)
        if now is None or not isinstance(node, ast.Constant) or id(node) in indices:
            continue
        wanted: list[float] = []
        if id(node) in exponents:
            wanted = [x for x in (0.5, 1.0, 2.0) if x != now]
        elif square is not None:
            powers = (square, math.sqrt(square), square**2, 1 / square, 1 / math.sqrt(square))
            meant = (now * p for p in powers)
            wanted = [n for m in meant for n in _NICE if n and abs(m / n - 1) < 0.03]
        elif id(node) in factors and now not in (0.0, 1.0):
            wanted = [1.0]
        for number in sorted(dict.fromkeys(wanted), key=lambda n: n == 1 / 3):
            if number == now:
                continue
            text = f"{number:g}" if isinstance(node.value, int) or number != int(number) else f"{number:.1f}"
            text = "1 / 3" if number == 1 / 3 else text
            yield Edit("number", f"{text} in place of {source.of(node)}", (source.change(node, text),))


def width_edits(source: FunctionSource, constant: float, std: str) -> Iterator[Edit]:
    """Write a standard deviation that follows the width in place of one that is fixed."""
    for node in computed(source):
        value = _number(node)
        if value is not None and value > 0 and abs(value**2 / constant - 1) < 0.03:
            yield _swap(source, node, std)


def word_edits(source: FunctionSource, activation: str) -> Iterator[Edit]:
    """Name the promised activation in place of another one, or another fan, as frameworks take them in words."""
    for node in computed(source):
        word = node.value if isinstance(node, ast.Constant) else None
        others = (activation,) if word in ACTIVATIONS else FANS[:3] if word in FANS else ()
        for other in others:
            if other != word:
                quote = source.of(node)[-1]
                yield _swap(source, node, f"{quote}{other}{quote}")


def fan_edits(source: FunctionSource) -> Iterator[Edit]:
    """Count another axis, another fan, or the fan itself in place of what was made of it."""
    for node in computed(source):
        if isinstance(node, ast.BinOp):
            sides = [n for n in ast.walk(node) if isinstance(n, (ast.Call, ast.Subscript, ast.Name))]
            inside = {id(n) for side in sides for n in ast.walk(side) if n is not side}
            leaves = [n for n in sides if id(n) not in inside]
            if len(leaves) == 1 and leaves[0] not in (node.left, node.right):
                yield _swap(source, node, source.of(leaves[0]))
    shape = next((n for n in source.names if n in ("shape", "size", "tensor", "w", "t")), None)
    prod = next((p for p in ("math.prod", "np.prod") if source.knows(p.partition(".")[0])), None)
    kernel = [n for n in source.names if role_of(n) in KERNEL_ROLES]
    # One name is a side of a square, or all sides.
    positions = [f"{kernel[0]} * {kernel[0]}", *([f"{prod}({kernel[0]})"] if prod else [])] if len(kernel) == 1 else []
    positions += [" * ".join(kernel)] if len(kernel) > 1 else []
    for node in computed(source):
        if isinstance(node, ast.Subscript) and shape is not None and source.of(node.value) in (shape, f"{shape}.shape"):
            of = source.of(node.value)
            texts = [f"{of}[1]", f"{of}[0]"] if not isinstance(node.slice, ast.Slice) else [f"{of}[1:]", f"{of}[:-1]"]
            if prod is not None and not isinstance(node.slice, ast.Slice):
                texts += [f"{prod}({of}[1:])", f"{prod}({of}[:-1])"]
            for text in texts:
                if text != source.of(node):
                    yield _swap(source, node, text)
        elif isinstance(node, (ast.Name, ast.Attribute)):
            yield from _other_fan(source, node)
            if isinstance(node, ast.Name) and role_of(node.id) == "in":
                yield from (_swap(source, node, f"({node.id} * {counted})") for counted in positions)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield from _other_fan(source, node.func)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            small = isinstance(node.right, ast.Constant) and isinstance(node.right.value, int)
            if small:
                yield _swap(source, node, source.of(node.left))
            elif isinstance(node.op, ast.Add):
                yield _swap(source, node, f"(({source.of(node)}) / 2)")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.FloorDiv):
            yield _swap(source, node, f"({source.of(node.left)} / {source.of(node.right)})")


def grouping_edits(source: FunctionSource) -> Iterator[Edit]:
    """Divide by all that follows: ``a / (b + c)`` in place of ``a / b + c``, and of ``a / b * c`` likewise."""
    alone = {id(a) for n in computed(source) if isinstance(n, ast.Call) for a in n.args}
    for node in computed(source):
        if isinstance(node, ast.BinOp) and isinstance(node.left, ast.BinOp):
            divided = isinstance(node.left.op, (ast.Div, ast.FloorDiv))
            if divided and isinstance(node.op, (ast.Add, ast.Sub, ast.Mult)):
                sign = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}[type(node.op)]
                below = f"({source.of(node.left.right)} {sign} {source.of(node.right)})"
                by = "/" if isinstance(node.left.op, ast.Div) else "//"
                text = f"{source.of(node.left.left)} {by} {below}"
                change = source.change(node, text if id(node) in alone else f"({text})")
                yield Edit("grouping", f"{text} in place of {source.of(node)}", (change,))


def root_edits(source: FunctionSource) -> Iterator[Edit]:
    """Take a root, or one less."""
    root = next((r for r in ("math.sqrt", "np.sqrt") if source.knows(r.partition(".")[0])), None)
    for node in computed(source):
        if isinstance(node, ast.Call) and re.match(_ROOT, callee(node)) and len(node.args) == 1:
            yield _swap(source, node, f"({source.of(node.args[0])})")
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            said = source.of(node)
            yield _swap(source, node, f"{root}({said})" if root else f"({said}) ** 0.5", "take the root: ")
            right = source.of(node.right)
            under = f"{root}({right})" if root else f"({right}) ** 0.5"
            yield _swap(source, node.right, under, "take the root: ")


def _number(node: ast.expr) -> float | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _other_fan(source: FunctionSource, node: ast.expr) -> Iterator[Edit]:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    for pair in _FANS:
        if name in pair:
            other = pair[1 - pair.index(name)]
            of = f"{source.of(node.value)}." if isinstance(node, ast.Attribute) else ""
            if of or source.knows(other) or re.search(rf"\b{other}\b", source.text):
                yield _swap(source, node, f"{of}{other}")


def _swap(source: FunctionSource, node: ast.expr, text: str, before: str = "") -> Edit:
    kind = "root" if before else "fan"
    return Edit(kind, f"{before}{text} in place of {source.of(node)}", (source.change(node, text),))
