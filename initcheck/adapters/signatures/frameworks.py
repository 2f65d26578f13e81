"""Which framework an object belongs to, or a function works with: read off what is loaded, never imported."""

from __future__ import annotations

import contextlib
import dis
import functools
import inspect
import itertools
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from initcheck.adapters.signatures.nested_code import nested_code

FRAMEWORKS = ("torch", "jax", "keras", "flax", "equinox", "numpy")
_ROOTS = {
    "torch": "torch", "jax": "jax", "jaxlib": "jax", "flax": "flax", "equinox": "equinox", "keras": "keras",
    "tensorflow": "keras", "numpy": "numpy",
}  # fmt: skip
_DEPTH = 3
# Methods that fill a tensor of PyTorch in place.
_FILLS = frozenset({"normal_", "uniform_", "log_normal_", "cauchy_", "bernoulli_", "exponential_"})
# What functions that draw call the generator they are handed.
_HANDED = frozenset({"generator", "rng", "key", "random_state", "seed"})


def home(obj: Any) -> str:
    """The top-level package that an object, or the class of an instance, was defined in."""
    module = getattr(obj, "__module__", None)
    if not isinstance(module, str):
        module = type(obj).__module__
    return module.partition(".")[0]


def is_instance_of(obj: Any, module: str, name: str) -> bool:
    """``isinstance`` (for a class: ``issubclass``) of a class of a module that may not be loaded."""
    cls = getattr(sys.modules.get(module), name, None)
    if not isinstance(cls, type):
        return False
    return issubclass(obj, cls) if isinstance(obj, type) else isinstance(obj, cls)


def framework_of_result(value: Any) -> str | None:
    """The framework whose array this is."""
    if type(value).__module__ == "numpy":
        return "numpy"
    for cls in type(value).__mro__:
        root = _ROOTS.get(cls.__module__.partition(".")[0])
        if root is not None:
            return root
    return None


def compiles(framework: str) -> bool:
    """Whether a call with a new shape costs a compilation: JAX's, which Keras may run on.

    >>> compiles("jax"), compiles("torch")
    (True, False)
    """
    if framework == "keras":
        keras = sys.modules.get("keras")
        return keras is not None and keras.config.backend() == "jax"
    return framework in ("jax", "flax", "equinox")


def used_by(function: Any) -> tuple[str, ...]:
    """The frameworks that a function's code mentions, helpers it calls included, the most telling first."""
    found = set(_mentioned(function, _DEPTH, set()))
    return tuple(name for name in FRAMEWORKS if name in found)


def draws_from(function: Any, parameter: str) -> bool:
    """Whether a function's code may draw from a parameter: asks it for an attribute, or hands it on as a generator.

    >>> draws_from(lambda shape, z: z.normal(size=shape), "z"), draws_from(lambda shape, z: [z, shape], "z")
    (True, False)
    """
    code = getattr(plain_function(function), "__code__", None)
    if code is None:
        return False
    handed = any(isinstance(constant, tuple) and _HANDED & set(constant) for constant in code.co_consts)
    return handed or "jax" in used_by(function) or asks(function, parameter)


def asks(function: Any, parameter: str) -> bool:
    """Whether a function's code asks a parameter for an attribute, which a number has not.

    >>> asks(lambda n, z: z.normal(size=n), "z"), asks(lambda n, z: z * n, "z")
    (True, False)
    """
    code = getattr(plain_function(function), "__code__", None)
    return code is not None and parameter in _asked(code)


def _asked(code: CodeType) -> Iterator[str]:
    """The variables that code asks for an attribute, that of functions inside included."""
    last: Any = None
    for step in _instructions(code):
        if step.opname in ("LOAD_ATTR", "LOAD_METHOD") and last is not None:
            # Two loads may be one instruction, the second of which is asked.
            yield last[-1] if isinstance(last, tuple) else last
        last = step.argval if step.opname.startswith(("LOAD_FAST", "LOAD_DEREF")) else None


def defines_function(function: Any) -> bool:
    """Whether a function is defined inside its code, as a factory defines the one it returns.

    >>> defines_function(lambda std: lambda shape: std), defines_function(lambda n: [i for i in range(n)])
    (True, False)
    """
    code = getattr(plain_function(function), "__code__", None)
    inner = [c.co_name for c in code.co_consts if isinstance(c, CodeType)] if code is not None else []
    return any(name == "<lambda>" or not name.startswith("<") for name in inner)


def _mentioned(function: Any, depth: int, seen: set[int]) -> Iterator[str]:
    function = plain_function(function)
    if not isinstance(function, FunctionType) or id(function) in seen:
        return
    seen.add(id(function))
    names = set(_names(function.__code__))
    values = [function.__globals__[name] for name in names if name in function.__globals__]
    if _FILLS & set(function.__code__.co_names):
        yield "torch"
    for name in names - set(function.__globals__):
        if name.partition(".")[0] in _ROOTS:  # imported inside the function
            yield _ROOTS[name.partition(".")[0]]
    for value in values + closure_of(function):
        module = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        root = _ROOTS.get(module.partition(".")[0]) if isinstance(module, str) else None
        if root is not None:
            yield root
        elif depth and isinstance(value, ModuleType):
            # A module of the user's: what the code may ask of it by name.
            asked = (vars(value).get(name) for name in function.__code__.co_names)
            for member in filter(callable, asked):
                yield from _mentioned(member, depth - 1, seen)
        elif depth and callable(value):
            yield from _mentioned(value, depth - 1, seen)


def plain_function(function: Any) -> Any:
    """The Python function under partials, methods, decorators and callable instances."""
    for _ in range(8):
        if isinstance(function, functools.partial):
            function = function.func
        elif inspect.ismethod(function):
            function = function.__func__
        elif isinstance(function, FunctionType):
            inner = getattr(function, "__wrapped__", None)
            if inner is None:
                return function
            function = inner
        elif isinstance(function, type):
            function = function.__dict__.get("__init__")
        else:
            wrapped = getattr(function, "__wrapped__", None)
            function = wrapped if wrapped is not None else getattr(type(function), "__call__", None)  # noqa: B004
    return function


def _names(code: CodeType) -> Iterator[str]:
    # Attributes are left out: `rng.normal` says nothing of a function called `normal` in the same module.
    return (s.argval for s in _instructions(code) if s.opname in ("LOAD_GLOBAL", "LOAD_NAME", "IMPORT_NAME"))


def _instructions(code: CodeType) -> Iterator[dis.Instruction]:
    return itertools.chain.from_iterable(map(dis.get_instructions, nested_code(code)))


def closure_of(function: FunctionType) -> list[Any]:
    """What a function holds of where it was defined; a name that is bound later is left out.

    >>> closure_of((lambda std: lambda shape: std)(0.02))
    [0.02]
    """
    held = []
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):
            held.append(cell.cell_contents)
    return held
