"""A batch in words, shapes such as ``int<100:2x16`` or the function that makes one, and as arguments of a call."""

from __future__ import annotations

import copy
import importlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from initcheck.errors import UsageError

_NAMED = re.compile(r"^\s*(?P<name>(?!all\s*=)[\w .-]*\w)\s*=(?P<rest>.*)$")
_SQUARE = re.compile(r"((?:[^:]*=)?\s*(?:ones:|float:)?\d+x)(\d+x)??(\d+)x\3(x\d+)?")
_PART = re.compile(
    r"^(?:(?P<kind>int<(?P<high>\d+)|all=(?P<all>\d+)|ones|graph|float):)?(?P<shape>\d+(?:x\d+)*|\(\))$|^none$"
)


@dataclass(frozen=True)
class Part:
    """One argument of a call.

    Attributes:
        shape: of the array.
        high: whole numbers below it are drawn; 0 for real numbers.
        ones: all entries are 1.
        graph: nodes that are joined each with itself, and by a hundredth with the next.
        name: of a keyword argument, behind a dot the key of a dict or the place in a tuple; empty for a positional one.
        all_of: the whole number that every entry is; None where it is drawn.
        absent: it is None.
    """

    shape: tuple[int, ...]
    high: int = 0
    ones: bool = False
    name: str = ""
    all_of: int | None = None
    absent: bool = False
    graph: bool = False


def _of_twice_the_sides(part: str) -> str:
    """
    >>> [_of_twice_the_sides(p) for p in ("2x3x32x32", "x=8x28x28x1", "2x16x16", "int<9:2x3x8x8", "2x3x4x8x8")]
    ['2x3x64x64', 'x=8x56x56x1', '2x16x16', 'int<9:2x3x8x8', '2x3x4x8x8']
    """
    found = _SQUARE.fullmatch(part)
    if found is None or bool(found[2]) == bool(found[4]):  # the channels stand before the sides or behind them
        return part
    return f"{found[1]}{found[2] or ''}{2 * int(found[3])}x{2 * int(found[3])}{found[4] or ''}"


def names_function(text: str) -> bool:
    """Whether a text is ``pkg:make_batch``, not shapes."""
    return ":" in text and not _PART.match(_named(text.split(";")[0])[1])


def parts_of(text: str) -> list[Part]:
    """Read the arguments of a batch.

    >>> [(p.name, p.high, p.shape) for p in parts_of("int<100:2x16; mask=ones:2x16")]
    [('', 100, (2, 16)), ('mask', 0, (2, 16))]
    >>> parts_of("grid_thw=all=4:1x3")[0].all_of
    4
    >>> parts_of("batch.eye colour = int<9:4")[0].name
    'batch.eye colour'
    >>> [p.absent for p in parts_of("8x16;none")]
    [False, True]
    >>> parts_of("ones:();1x28x28")[0].shape  # one number, as a time is
    ()
    >>> parts_of("8x16;adj=graph:8x8")[1].graph
    True

    Raises:
        UsageError: a part cannot be read.
    """
    found = []
    for part in text.split(";"):
        name, word = _named(part)
        if not (name or word):
            continue
        match = _PART.match(word)
        if match is None:
            raise UsageError(
                f"the batch {part.strip()!r} cannot be read; write a shape such as 2x3x32x32 or int<100:2x16,"
                " with name= before it and ; between several, none for what is left out, or pkg:make_batch."
            )
        if match["shape"] is None:
            found.append(Part((), name=name, absent=True))
            continue
        shape = tuple(int(n) for n in match["shape"].split("x")) if match["shape"] != "()" else ()
        number = int(match["all"]) if match["all"] else None
        kind = match["kind"]
        found.append(Part(shape, int(match["high"] or 0), kind == "ones", name, number, graph=kind == "graph"))
    return found


def _named(part: str) -> tuple[str, str]:
    """The name of an argument, which a key of a dict may give blanks to, and what stands behind it without any."""
    match = _NAMED.match(part)
    return (match["name"], match["rest"].replace(" ", "")) if match else ("", part.replace(" ", ""))


def named_function(text: str) -> Callable[[], Any]:
    """The function that a text names.

    Raises:
        UsageError: it is not there.
    """
    module, _, name = text.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"the batch {text!r} names no function: {error}.") from None
    if not callable(found):
        raise UsageError(f"the batch {text!r} names {type(found).__name__}, not a function that makes a batch.")
    return found  # type: ignore[no-any-return]


def nested(named: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted names as arguments: of keys a dict, of places a tuple.

    >>> nested({"x": 1, "batch.ids": 2, "pair.0": 3, "pair.1": 4})
    {'x': 1, 'batch': {'ids': 2}, 'pair': (3, 4)}
    """
    made: dict[str, Any] = {}
    for name, value in named.items():
        first, _, rest = name.partition(".")
        if rest:
            made.setdefault(first, {})[rest] = value
        else:
            made[first] = value
    return {n: _tupled(nested(v)) if isinstance(v, dict) else v for n, v in made.items()}


def _tupled(parts: dict[str, Any]) -> Any:
    return tuple(parts.values()) if all(n.isdecimal() for n in parts) else parts


def flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The values inside an argument by dotted names, as ``nested`` reads them.

    >>> list(flat("batch", {"ids": 2, "pair": (3, 4)}))
    [('batch.ids', 2), ('batch.pair.0', 3), ('batch.pair.1', 4)]
    """
    inside = (
        value if isinstance(value, Mapping) else dict(enumerate(value)) if isinstance(value, (tuple, list)) else None
    )
    if inside is None:
        yield name, value
    for key, part in (inside or {}).items():
        yield from flat(f"{name}.{key}", part)


def changed(value: Any, change: Callable[[str, Any], Any], name: str = "") -> Any:
    """A nested value with all that has a shape changed; objects that hold it as ``x`` are copied.

    >>> import numpy as np
    >>> changed({"ids": [3, np.ones(2)]}, lambda name, array: f"{array.size} {name}")
    {'ids': [3, '2 ids']}

    Args:
        value: an argument of a call.
        change: given the key or argument that an array stands under, and the array.
        name: of the argument.
    """
    if hasattr(value, "shape"):
        return change(name, value)
    if isinstance(value, (list, tuple)):
        return type(value)(changed(v, change, name) for v in value) if not hasattr(value, "_fields") else value
    if isinstance(value, dict):
        return {k: changed(v, change, str(k)) for k, v in value.items()}
    if hasattr(getattr(value, "x", None), "shape"):
        other = copy.copy(value)
        other.x = change("x", value.x)
        return other
    return value


# Attention over neighbours wants two of them; a sum over them must not make the signal grow, however deep it goes.
_NEXT = 0.01


def graph(shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Which nodes are joined, as a matrix: each with itself, and by a hundredth with the next.

    >>> graph((2, 2)).tolist() == np.float32([[1, 0.01], [0.01, 1]]).tolist()
    True
    """
    itself = np.eye(*shape[-2:], dtype=np.float32)
    joined = itself + np.float32(_NEXT) * np.roll(itself, 1, axis=-1) if shape[-1] > 1 else itself
    return np.broadcast_to(joined, shape).copy()


def is_graph(array: Any) -> bool:
    """Whether an array is such a matrix, of several nodes.

    >>> is_graph(graph((2, 3, 3))), is_graph(np.ones((3, 3))), is_graph(np.eye(1))
    (True, False, False)
    """
    shape = tuple(array.shape)
    square = len(shape) > 1 and shape[-1] == shape[-2] > 1
    return square and np.array_equal(np.asarray(array), graph(shape))


@dataclass(frozen=True)
class CallArguments(ABC):
    """Arguments of one call of a model; in what they are filled the frameworks differ.

    Attributes:
        args, kwargs: the arguments.
        text: in words, such as ``int<100:2x16``.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""

    @property
    def arrays(self) -> list[Any]:
        """All in it that has a shape, in order."""
        found: list[Any] = []
        changed([*self.args, dict(self.kwargs)], lambda _, array: found.append(array))
        return found

    @classmethod
    @abstractmethod
    def filled(cls, part: Part) -> Any:
        """An array of the framework, of the shape and with the numbers of one part of a text."""

    @abstractmethod
    def shuffled(self) -> Self:
        """Another batch of the same kind: the entries of what has several values in another order."""

    def larger(self) -> Self | None:
        """The same with images of twice the sides; None where there is none, or the text does not make the batch."""
        parts = [part.strip() for part in self.text.split(";")]
        wider = list(map(_of_twice_the_sides, parts))
        return type(self).read(";".join(wider)) if wider != parts else None

    @classmethod
    def read(cls, text: str) -> Self:
        """The arguments of a text of shapes.

        Raises:
            UsageError: it cannot be read.
        """
        made = [(part.name, None if part.absent else cls.filled(part)) for part in parts_of(text)]
        return cls(tuple(a for n, a in made if not n), nested({n: a for n, a in made if n}), text)

    @classmethod
    def maker(cls, given: object) -> Callable[[], Self] | None:
        """Make arguments of what the user gave: text, ``pkg:make_batch``, a function, or the arguments themselves.

        Raises:
            UsageError: it cannot be read, or the named function is not there.
        """
        if given is None:
            return None
        if isinstance(given, str):
            if names_function(given):
                return lambda: cls._of(named_function(given)(), given)
            read = cls.read(given)
            return lambda: read
        if callable(given):
            return lambda: cls._of(given(), getattr(given, "__name__", "batch"))
        return lambda: cls._of(given, "the given batch")

    @classmethod
    def _of(cls, made: Any, text: str) -> Self:
        if isinstance(made, cls):
            return made
        if isinstance(made, Mapping):
            return cls((), dict(made), text)
        return cls(tuple(made) if isinstance(made, (tuple, list)) else (made,), {}, text)
