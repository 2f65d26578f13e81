"""Edits of the value that is returned: a factor, the ratio of two laws, a sign a weight."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping

from initcheck.adapters.signatures.signature import role_of
from initcheck.contract.contract import Contract
from initcheck.contract.gains import required_power
from initcheck.contract.standard_laws import truncated_std
from initcheck.diagnosis.evidence.variance_law import VarianceLaw
from initcheck.repairs.edits.edit import Edit
from initcheck.repairs.edits.function_source import Change, FunctionSource
from initcheck.repairs.edits.plain_draw import fan_text, number
from initcheck.repairs.edits.statements import returns_of

CUT = truncated_std(1.0, -2.0, 2.0)
# Squares of factors that are forgotten, and how their roots are written.
_ROOTS: Mapping[float, str] = {
    3.0: "3**0.5", 2.0: "2**0.5", 0.5: "0.5**0.5", 4.0: "2", 0.25: "0.5", 1 / 3: "(1 / 3)**0.5", 16 / 9: "4 / 3",
    0.1: "0.1**0.5", 10.0: "10**0.5", 9.0: "3", 1 / 9: "(1 / 3)", 1.5: "1.5**0.5", 6.0: "6**0.5",
}  # fmt: skip


def missing(law: VarianceLaw | None, contract: Contract) -> float | None:
    """What the variance must be multiplied by, where that is one number at every shape."""
    if law is None or not 0 < law.constant < math.inf:
        return None
    if contract.std is not None:
        return contract.std**2 / law.constant if law.denominator.name == "1" else None
    return required_power(contract) / law.constant if law.denominator.name == (contract.fan or "fan_in") else None


def factor_of(square: float) -> tuple[float, str]:
    """A factor by the square that was measured, and how it is written behind ``*``.

    >>> factor_of(1.99), factor_of(1.2925)[1]
    ((1.4142135623730951, '2**0.5'), '1 / 0.879626')
    """
    for known, text in _ROOTS.items():
        if abs(square / known - 1) < 0.02:
            return math.sqrt(known), text
    if abs(math.sqrt(square) * CUT - 1) < 0.01:
        return 1 / CUT, f"1 / {CUT:.6f}"
    return math.sqrt(square), f"{math.sqrt(square):.4g}"


def rescaling(square: float) -> tuple[float, str, str]:
    """A factor by the square that was measured, what is wrong without it, and what is written behind the result.

    >>> rescaling(2.0)[1:]
    ('the standard deviation is 0.7071 of what it should be', ' * 2**0.5')
    """
    factor, text = factor_of(square)
    cut = text.startswith("1 / 0.8796")
    why = ", which is what a normal keeps that is cut at two" if cut else ""
    words = f"the standard deviation is {1 / factor:.4g} of what it should be{why}"
    return factor, words, f" / {CUT:.6f}" if cut else f" * {text}"


def result_edits(source: FunctionSource, law: VarianceLaw | None, contract: Contract) -> Iterator[Edit]:
    """Multiply what is returned, so that its variance is the promised one."""
    square = missing(law, contract)
    if square is not None:
        _, words, operation = rescaling(square)
        yield from _behind(source, "factor", words, operation)
    elif law is not None and 0 < law.constant < math.inf and law.denominator.is_plain:
        shape = shape_of(source)
        if shape is None:
            return
        promised = fan_text(contract, shape, many_axes=source.many_axes)
        wanted = f"{contract.std:g}" if contract.std is not None else f"{number(required_power(contract))} / {promised}"
        now = _now(law, contract, shape, source.many_axes)
        if now is None or ("math." in wanted + now and not source.knows("math")):
            return
        ratio = f"({wanted}) ** 0.5" if contract.std is None else wanted
        words = f"the variance is {law}: it should be {wanted}"
        yield from _behind(source, "formula", words, f" * ({ratio} / ({now}) ** 0.5)")
    rng = next((n for n in source.names if role_of(n) in ("rng", "random_state")), None)
    if rng is not None:
        value = f" * {rng}.choice((-1.0, 1.0), size={shape_of(source) or 'shape'})"
        yield from _behind(source, "signs", "give every weight a sign of its own", value)


def _behind(source: FunctionSource, kind: str, words: str, operation: str) -> Iterator[Edit]:
    returned = returns_of(source)
    if not returned:
        # It fills what it is given.
        tensor = next((n for n in source.names if role_of(n) == "tensor"), None)
        last = source.tree.body[-1]
        if tensor is None or kind == "signs":
            return
        method, operand = ("div_", operation[3:]) if operation.startswith(" / ") else ("mul_", operation[3:])
        _, end = source.span(last)
        inner = " " * last.col_offset
        line = f"\n{inner}with torch.no_grad():\n{inner}    {tensor}.{method}({operand})"
        yield Edit(kind, f"{words}: {tensor}.{method}({operand}) after it is filled", (Change(end, end, line),))
        return
    changes = []
    for value in returned:
        loose = isinstance(value, (ast.BinOp, ast.IfExp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Lambda))
        loose = loose and not (isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Mult, ast.Div)))
        text = f"({source.of(value)})" if loose else source.of(value)
        changes.append(source.change(value, f"{text}{operation}"))
    yield Edit(kind, words, tuple(changes))


def shape_of(source: FunctionSource) -> str | None:
    """How the function calls the shape that is asked for; None where it takes it in another form."""
    roles = {role_of(name): name for name in reversed(source.names)}
    return roles.get("shape") or (f"{roles['tensor']}.shape" if "tensor" in roles else None)


def _now(law: VarianceLaw, contract: Contract, shape: str, many_axes: bool) -> str | None:
    usual = next((k for k in (1.0, 2.0, 0.5, 1 / 3, 1e-4, 4e-4) if abs(law.constant / k - 1) < 0.02), law.constant)
    name = law.denominator.name
    if name == "1":
        return number(usual)
    if name not in ("fan_in", "fan_out", "fan_avg"):
        return None
    plain = Contract(fan=name, layout=contract.layout, groups=contract.groups)
    return f"{number(usual)} / {fan_text(plain, shape, many_axes=many_axes)}"
