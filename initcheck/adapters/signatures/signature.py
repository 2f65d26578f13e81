"""What each parameter of a callable is for: read from its annotation, its name, then parts of its name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from initcheck.adapters.signatures.annotations import annotated_signature
from initcheck.adapters.signatures.frameworks import closure_of
from initcheck.adapters.signatures.names import (
    ANNOTATIONS,
    CHANNELS,
    HYPERPARAMETERS,
    NAME_PARTS,
    ROLE_OF_NAME,
    TABLE_COLUMNS,
    TABLE_ROWS,
    WIDTHS_IN,
    WIDTHS_OF_LAYERS,
    WORDS_IN,
    WORDS_OF_LAYERS,
    WORDS_OF_NUMBERS,
    WORDS_OF_SIZES,
    WORDS_OUT,
    width_by_words,
)
from initcheck.errors import UsageError, closest

RANDOM_ROLES = ("rng", "random_state", "torch_generator", "python_random", "seed", "key", "rngs")
KERNEL_ROLES = ("kernel", "kernel_side", "square_kernel", "kernel_depth", "kernel_height", "kernel_width")
# What the axes of a kernel are called beside its channels.
_KERNEL_SIDES = {"depth": "kernel_depth", "height": "kernel_height", "width": "kernel_width"}
_PLURALS_OF_MODULES = ("modules", "layers", "nets", "models", "linears", "convs")
SHAPE_ROLES = (
    "shape", "dims", "widths", "in", "out", "rows", "cols", "side", *KERNEL_ROLES, "tensor", "tensors", "module",
)  # fmt: skip
ROLES = (*SHAPE_ROLES, *RANDOM_ROLES, "dtype", "dtype_name", "label", "next", "hidden_widths", "rate", "another_rate")


@dataclass(frozen=True)
class Slot:
    """One parameter.

    Attributes:
        name: as the user's code names it.
        role: one of ``ROLES``; ``hyperparameter`` (a number only the user knows), ``unknown`` (a name that
            says something else), ``nameless`` (a name that says nothing).
        required: it has no default.
        keyword: it must be passed by name.
        variadic: it is ``*name``.
        told: its annotation says which kind of generator it is.
    """

    name: str
    role: str
    required: bool = True
    keyword: bool = False
    variadic: bool = False
    told: bool = False


def slots_of(function: Callable[..., Any]) -> list[Slot]:
    """A slot per parameter of a callable, ``self`` left out; ``**kwargs`` is passed nothing.

    Raises:
        UsageError: the callable does not tell its parameters (some are written in C).
    """
    parameters = [p for p in _signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD]
    letters = [p.name.strip("_").lower() for p in parameters]
    swapped = "n" in letters and "m" in letters[letters.index("n") :]  # f(n, m): n comes first, and is the rows
    names = {p.name.strip("_").lower() for p in parameters}
    slots = []
    for p in parameters:
        role = role_of(p.name, p.annotation, beside=names, variadic=p.kind is p.VAR_POSITIONAL)
        if swapped and role in ("rows", "cols") and len(p.name.strip("_")) == 1:
            role = "cols" if role == "rows" else "rows"
        if role == "dtype" and (p.annotation in (str, "str") or isinstance(p.default, str)):
            role = "dtype_name"
        if role.startswith("dtype") and "complex" in str(p.default):
            role = "unknown"  # asked for float32, it would drop the imaginary part and half of the variance
        if role in ("in", "out") and isinstance(p.default, int) and p.default < 0:
            role = "unknown"  # `in_dim=-2` is the number of an axis
        slots.append(
            Slot(
                name=p.name,
                role=role,
                required=p.default is p.empty and p.kind is not p.VAR_POSITIONAL,
                keyword=p.kind is p.KEYWORD_ONLY,
                variadic=p.kind is p.VAR_POSITIONAL,
                told=role in RANDOM_ROLES and _annotation_role(p.annotation) == role,
            )
        )
    return slots


def role_of(name: str, annotation: Any = inspect.Parameter.empty, *, beside: set[str] | None = None,
            variadic: bool = False) -> str:  # fmt: skip
    """The role that an annotation, else a name, speaks for.

    >>> role_of("rng_key"), role_of("fan_in"), role_of("gain"), role_of("u")
    ('key', 'in', 'hyperparameter', 'nameless')
    >>> role_of("x", "np.random.Generator")
    'rng'
    """
    plain = name.strip("_").lower() or name
    beside = beside or set()
    if variadic:
        if plain in _PLURALS_OF_MODULES:
            return "module"
        return "dims" if plain not in ("args", "xs", "params") or annotation is int else "nameless"
    said = _annotation_role(annotation)
    if WIDTHS_OF_LAYERS.fullmatch(plain) and said in (None, "shape"):
        return "widths"
    by_name = ROLE_OF_NAME.get(plain)
    if by_name == "shape" and annotation in (int, "int"):
        return "unknown"  # `size: int` is the side of a square, if anything
    if said == "tensor" and (by_name in ("key", "rng", "seed") or plain in ("k",)):
        return by_name or "key"  # `key: jax.Array` and its kin
    if plain in ("value", "val") and annotation in (Any, "Any", "typing.Any"):
        return "tensor"  # PyTorch Geometric's: a tensor, or a module of tensors
    if plain in HYPERPARAMETERS and said in ("tensor", "shape"):
        return "hyperparameter"  # `value: ArrayLike`, `scale: Sequence[int]`
    if plain.endswith(("axis", "axes")):
        return "unknown"
    if said is not None and not (said == "shape" and by_name in ("kernel", "in", "out")):
        return said
    if {"m", "n"} <= beside and plain in ("m", "n"):
        return "rows" if plain == "m" else "cols"
    if (plain in TABLE_ROWS and beside & TABLE_COLUMNS) or (plain in TABLE_COLUMNS and beside & TABLE_ROWS):
        return "rows" if plain in TABLE_ROWS else "cols"
    if by_name == "out" and plain in ("features", "units", "out") and not beside & WIDTHS_IN:
        return "unknown"
    if plain in _KERNEL_SIDES and {"height", "width"} <= beside and any(map(_is_of_channels, beside)):
        return _KERNEL_SIDES[plain]
    if by_name is not None:
        return by_name
    if plain in HYPERPARAMETERS:
        return "hyperparameter"
    if plain == "k" and beside & CHANNELS:
        return "kernel"
    listed = re.split(r"[_\d]+", plain)
    words = set(listed)
    if listed[-1] in WORDS_OF_NUMBERS:
        return "hyperparameter"
    for part, role in NAME_PARTS:
        if part in plain and not (role in RANDOM_ROLES and listed[-1] in WORDS_OF_SIZES):
            return role
    if listed[-1] == "layer" and words & WORDS_OF_LAYERS:
        return "module"
    if bool(words & WORDS_IN) != bool(words & WORDS_OUT):
        return "in" if words & WORDS_IN else "out"
    worded = width_by_words(plain)
    if worded is not None:
        return worded
    if annotation in (float, bool, str, "float", "bool", "str"):
        return "unknown"  # whatever it is called, it asks for no shape
    return "nameless" if len(plain) == 1 or plain in ("arg", "args", "xs", "obj", "thing", "params") else "unknown"


def _is_of_channels(name: str) -> bool:
    """Whether a parameter counts channels or filters, so that a height beside it is that of a kernel."""
    return name in CHANNELS or ROLE_OF_NAME.get(name) in ("in", "out")


def parse_signature(text: str, function: Callable[..., Any], fixed: Iterable[str] = ()) -> list[Slot]:
    """Read ``(shape, rng)``: one role a parameter, in order.

    ``name=role`` passes by keyword, ``*shape`` spreads the shape, ``_`` leaves a parameter out. Parameters that
    are ``fixed`` have their value already and are passed over.

    >>> [s.role for s in parse_signature("(rng, *shape)", lambda rng, *dims: None)]
    ['rng', 'dims']

    Raises:
        UsageError: an unknown role, naming the closest; a required parameter without a role.
    """
    inside = text.strip().removeprefix("(").removesuffix(")")
    try:
        parameters = list(_signature(function).parameters.values())
    except UsageError:
        parameters = []
    passed = set(fixed)
    every = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    names = [name for name in every if name not in passed]
    slots, skipped = [], False
    for number, part in enumerate(p.strip() for p in inside.split(",") if p.strip()):
        name, equals, role = (s.strip() for s in part.rpartition("="))
        role = {"generator": "rng", "*shape": "dims", "*dims": "dims", "size": "shape"}.get(role, role)
        if role == "_":
            skipped = True
            continue
        if role not in ROLES:
            raise UsageError(f"signature={text!r}: {role!r} is no role of a parameter; {closest(role, ROLES)}")
        position = names[number] if number < len(names) else f"argument {number}"
        slots.append(
            Slot(
                name or position,
                role,
                keyword=bool(equals) or skipped or bool(passed & set(every[: _place(position, every)])),
                variadic=role == "dims" and not equals,
            )
        )
    if not any(s.role in SHAPE_ROLES for s in slots):
        raise UsageError(f"signature={text!r} says nowhere how the shape is passed, such as '(shape, rng)'.")
    if not any(s.variadic for s in slots):
        _check_that_all_are_told(text, parameters, passed | {s.name for s in slots})
    return slots


def _place(name: str, every: list[str]) -> int:
    return every.index(name) if name in every else 0


def _check_that_all_are_told(text: str, parameters: list[inspect.Parameter], told: set[str]) -> None:
    """Where a required parameter has no role, every call would fail, and the initializer would be blamed for it."""
    required = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    untold = [name for name in required if name not in told]
    if untold:
        listed = " and ".join(repr(name) for name in untold)
        raise UsageError(
            f"signature={text!r} has no role for {listed}; write one role a parameter, in order"
            f" ({', '.join(required)}), and give what asks for no role a value: {required[0]}=... or args={{...}}."
        )


def describe(slots: list[Slot] | tuple[Slot, ...]) -> str:
    """The way of calling in words: ``(shape, rng)``, ``(*shape)``, ``(shape, rng=rng)``."""
    shown = []
    for slot in slots:
        role = "*shape" if slot.role == "dims" else _WORDS.get(slot.role, slot.role)
        shown.append(f"{slot.name}={role}" if slot.keyword else role)
    return f"({', '.join(shown)})"


_WORDS = {
    "python_random": "random.Random",
    "torch_generator": "torch.Generator",
    "random_state": "RandomState",
    "square_kernel": "kernel_side",
}


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return annotated_signature(_behind_a_wrapper(function))
    except (TypeError, ValueError):
        name = getattr(function, "__name__", type(function).__name__)
        raise UsageError(
            f"{name} does not tell its parameters (it may be written in C); say how to call it:"
            " signature='(shape, rng)'."
        ) from None


def _behind_a_wrapper(function: Callable[..., Any]) -> Callable[..., Any]:
    """The one function in the closure of ``def wrapper(*args, **kwargs)``, which takes what that passes on to it.

    ``*shape`` says what it is itself; and what calls itself passes nothing on.
    """
    rest = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
    passed: list[object] = []
    while inspect.isfunction(function) and not hasattr(function, "__wrapped__"):
        passed.append(function)
        code = function.__code__
        called = [one for one in closure_of(function) if inspect.isroutine(one)]
        if code.co_flags & rest != rest or code.co_argcount or code.co_kwonlyargcount or len(called) != 1:
            break
        if called[0] in passed or role_of(code.co_varnames[0]) not in ("nameless", "unknown"):
            break
        [function] = called
    return function


def _annotation_role(annotation: Any) -> str | None:
    if annotation is inspect.Parameter.empty or annotation is None:
        return None
    if isinstance(annotation, str):
        text = annotation
    elif isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        text = f"{annotation.__module__}.{annotation.__qualname__}"
    else:
        text = f"{getattr(annotation, '__module__', '')}.{getattr(annotation, '__name__', '')} {annotation!r}"
    for role, pattern in ANNOTATIONS:
        if pattern.search(text):
            return role
    return None
