"""What a signature's annotations say, looked up and not evaluated: an annotation that is text may be any code."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
from collections.abc import Callable, Mapping
from types import MethodType, ModuleType
from typing import Any

# Whose classes may be asked for a part, as in tuple[int, ...], or joined to another: a user's may do anything then.
_ASKED_TEXT = "builtins collections jax jaxtyping numpy random torch types typing typing_extensions"
_ASKED = frozenset(_ASKED_TEXT.split())


class _NotPlain(Exception):
    """The text is more than names, or what it names may do anything when it is asked."""


def annotated_signature(function: Callable[..., Any]) -> inspect.Signature:
    """The signature of a callable; of annotations that are text, those of names alone become what they name.

    >>> def init(shape: tuple[int, ...], rng: print("any code")): ...  # in a module whose annotations are text
    >>> [p.annotation for p in annotated_signature(init).parameters.values()]
    [tuple[int, ...], "print('any code')"]

    Raises:
        TypeError: it is no callable.
        ValueError: it does not tell its parameters.
    """
    signature = inspect.signature(function)
    names = _globals_of(function)
    told = [
        p.replace(annotation=_named(p.annotation, names)) if isinstance(p.annotation, str) else p
        for p in signature.parameters.values()
    ]
    return signature.replace(parameters=told)


def _globals_of(function: Any) -> Mapping[str, Any]:
    while True:
        function = inspect.unwrap(function)
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, MethodType):
            function = function.__func__
        elif isinstance(function, type):
            function = inspect.getattr_static(function, "__init__")
        elif inspect.isroutine(function):
            return getattr(function, "__globals__", {})
        else:  # an instance
            function = inspect.getattr_static(type(function), "__call__", len)


def _named(text: str, names: Mapping[str, Any]) -> Any:
    try:
        return _value(ast.parse(text, mode="eval").body, names)
    except Exception:  # no expression, a name that is imported for type checkers only, or more than names
        return text


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return names[node.id] if node.id in names else vars(builtins)[node.id]
        case ast.Attribute():
            owner = _value(node.value, names)
            if not isinstance(owner, (ModuleType, type)):
                raise _NotPlain
            return vars(owner)[node.attr]
        case ast.Tuple() | ast.List():
            return tuple(_value(one, names) for one in node.elts)
        case ast.Subscript():
            return _askable(_value(node.value, names))[_value(node.slice, names)]
        case ast.BinOp(op=ast.BitOr()):
            return _askable(_value(node.left, names)) | _askable(_value(node.right, names))
    raise _NotPlain


def _askable(value: Any) -> Any:
    modules = (type(value).__module__, getattr(value, "__module__", type(value).__module__))
    if value is None or all(str(module).partition(".")[0] in _ASKED for module in modules):
        return value
    raise _NotPlain
