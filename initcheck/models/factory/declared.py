"""Declared laws such as ``0.02/sqrt(2*L)``: read from text, never evaluated as code."""

from __future__ import annotations

import ast
import fnmatch
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from initcheck.errors import UsageError, closest

FORMULA_NAMES = ("L", "l", "fan_in", "fan_out", "d", "pi")
_FUNCTIONS: Mapping[str, Callable[..., float]] = {"sqrt": math.sqrt, "log": math.log, "min": min, "max": max}
_FAMILIES = ("std", "normal", "uniform", "constant")
_OPERATIONS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}


@dataclass(frozen=True)
class DeclaredLaw:
    """What the tensors of a pattern are declared to follow.

    >>> law = DeclaredLaw.read("transformer.h.*.c_proj.weight", "0.02/sqrt(2*L)")
    >>> round(law.std({"L": 8}), 6)
    0.005
    >>> law.matches("transformer.h.3.c_proj.weight")
    True

    Attributes:
        pattern: path of the tensors, with ``*`` for any run of characters.
        text: the law as it was written.
        family: ``std`` (any family of that standard deviation), ``normal``, ``uniform`` or ``constant``.
        expression: standard deviation, half-width of a uniform, or value of a constant.
    """

    pattern: str
    text: str
    family: str
    expression: ast.expr

    @classmethod
    def read(cls, pattern: str, text: str | float) -> DeclaredLaw:
        """Read ``0.02/sqrt(2*L)``, ``normal(0.02)``, ``uniform(1/sqrt(fan_in))`` or ``constant(0)``.

        Raises:
            UsageError: the text is no arithmetic of the known names.
        """
        try:
            tree = ast.parse(str(text).strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise UsageError(
                f"the law {text!r} of {pattern!r} cannot be read; write arithmetic such as 0.02/sqrt(2*L)."
            ) from None
        family, body = "std", tree
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id in _FAMILIES:
            if len(tree.args) != 1 or tree.keywords:
                raise UsageError(f"the law {text!r} of {pattern!r}: {tree.func.id}() takes one number.")
            family, body = tree.func.id, tree.args[0]
        law = cls(pattern, str(text), family, body)
        for node in ast.walk(body):
            _check_node(node, law)
        return law

    def matches(self, name: str) -> bool:
        """Whether a tensor of this path is meant."""
        return fnmatch.fnmatchcase(name, self.pattern)

    def value(self, names: Mapping[str, float]) -> float:
        """The expression's number.

        Raises:
            UsageError: a name has no value for this tensor, or the arithmetic leaves the numbers.
        """
        try:
            return float(_number(self.expression, {"pi": math.pi, **names}))
        except KeyError as error:
            name = error.args[0]
            raise UsageError(
                f"the law {self.text!r} of {self.pattern!r} needs {name}, which this model does not give"
                f" ({_MEANING.get(name, name)}); write the number itself."
            ) from None
        except (ArithmeticError, ValueError, TypeError) as error:
            raise UsageError(f"the law {self.text!r} of {self.pattern!r} has no value: {error}.") from None

    def std(self, names: Mapping[str, float]) -> float:
        """Standard deviation that is declared; 0 for a constant."""
        value = self.value(names)
        return {"uniform": value / math.sqrt(3.0), "constant": 0.0}.get(self.family, value)


def read_laws(laws: Mapping[str, str | float] | None) -> tuple[DeclaredLaw, ...]:
    """Read every declared law; the first pattern that matches a tensor is the one that counts."""
    return tuple(DeclaredLaw.read(pattern, text) for pattern, text in (laws or {}).items())


_MEANING = {
    "L": "the number of blocks",
    "l": "the block's index, from 1",
    "fan_in": "entries of a row",
    "fan_out": "rows times the receptive field",
    "d": "the last dimension",
}


def _check_node(node: ast.AST, law: DeclaredLaw) -> None:
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else "?"
        if name not in _FUNCTIONS or node.keywords:
            raise UsageError(f"the law {law.text!r} calls {name!r}; {closest(name, _FUNCTIONS)}")
    elif isinstance(node, ast.Name):
        if node.id not in FORMULA_NAMES and node.id not in _FUNCTIONS:
            raise UsageError(f"the law {law.text!r} names {node.id!r}; {closest(node.id, FORMULA_NAMES)}")
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
            raise UsageError(f"the law {law.text!r} holds {node.value!r}, which is no number.")
    elif isinstance(node, ast.BinOp):
        if type(node.op) not in _OPERATIONS:
            raise UsageError(f"the law {law.text!r} uses an operator other than + - * / **.")
    elif not isinstance(node, (ast.UnaryOp, ast.USub, ast.UAdd, ast.operator, ast.Load)):
        raise UsageError(f"the law {law.text!r} is no arithmetic; write such as 0.02/sqrt(2*L).")


def _number(node: ast.expr, names: Mapping[str, float]) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.UnaryOp):
        value = _number(node.operand, names)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp):
        return _OPERATIONS[type(node.op)](_number(node.left, names), _number(node.right, names))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return float(_FUNCTIONS[node.func.id](*(_number(a, names) for a in node.args)))
    raise ValueError("it is no arithmetic")
