"""What one code object mentions: names, with the attributes that are asked of them, and the attributes it sets."""

from __future__ import annotations

import dis
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType

_SKIPPED = frozenset(["CACHE", "PUSH_NULL", "RESUME", "EXTENDED_ARG", "NOP", "NOT_TAKEN", "COPY_FREE_VARS"])


@dataclass(frozen=True)
class Mention:
    """A name and the attributes asked of it, as in ``np.random.randn``.

    Attributes:
        kind: ``global``, ``closure``, ``import`` (inside the code) or ``unknown``, of which nothing can be told.
        name: the name; empty for what a call returned.
        attributes: in the order in which they are asked.
        line: in the source; 0 where it is not known.
    """

    kind: str
    name: str
    attributes: tuple[str, ...] = ()
    line: int = 0


@dataclass
class Mentions:
    """All that a code object and the functions defined inside it mention.

    Attributes:
        found: every name with its attributes.
        stored: the attributes that are set.
        strings: constants that may name an attribute to ``getattr``.
        inner: the code objects of functions defined inside, comprehensions left out.
        rebinds: whether it binds a global, or a name of the function around it, anew.
    """

    found: list[Mention] = field(default_factory=list)
    stored: set[str] = field(default_factory=set)
    strings: set[str] = field(default_factory=set)
    inner: list[CodeType] = field(default_factory=list)
    rebinds: bool = False


def mentions_of(code: CodeType) -> Mentions:
    """Everything that a code object mentions.

    >>> import numpy as np
    >>> def f(shape):
    ...     return np.random.randn(*shape)
    >>> [(m.name, m.attributes) for m in mentions_of(f.__code__).found if m.kind == "global"]
    [('np', ('random', 'randn'))]
    """
    found = Mentions()
    _read(code, {}, found)
    return found


def _read(code: CodeType, outer: Mapping[str, Mention], into: Mentions) -> None:
    known = {name: mention for name, mention in outer.items() if name in code.co_freevars}
    into.found += _mentioned(code, known, into)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if not constant.co_name.startswith("<") or constant.co_name == "<lambda>":
                into.inner.append(constant)
            _read(constant, known, into)
        elif isinstance(constant, str) and constant.replace(".", "_").isidentifier():
            into.strings.update(constant.split("."))


def _mentioned(code: CodeType, known: dict[str, Mention], into: Mentions) -> Iterator[Mention]:
    """The mentions in order; ``known`` says what local names stand for, and learns."""
    current: Mention | None = None
    package: Mention | None = None  # what names are being imported from
    for step in dis.get_instructions(code):
        op, told = step.opname, step.argval
        if op in _SKIPPED:
            continue
        line = (step.positions.lineno if step.positions is not None else 0) or 0
        if op in ("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR", "LOAD_SUPER_METHOD"):
            of = current if op.startswith(("LOAD_A", "LOAD_M")) else None
            of = of or Mention("unknown", "")
            current = Mention(of.kind, of.name, (*of.attributes, told), line)
            continue
        if op == "IMPORT_FROM" and package is not None:
            current = Mention("import", package.name, (told,), line)
            continue
        if op.startswith("STORE_FAST") or op in ("STORE_DEREF", "STORE_NAME", "STORE_GLOBAL"):
            names = told if isinstance(told, tuple) else (told,)
            into.rebinds |= op == "STORE_GLOBAL" or (op == "STORE_DEREF" and names[0] in code.co_freevars)
            if current is None or current.kind == "unknown":
                known.pop(names[0], None)
            else:
                whole = package is current and "." in current.name  # `import a.b` binds a
                known[names[0]] = Mention("import", current.name.partition(".")[0]) if whole else current
            if current is not None:
                yield current
            current = package if package is not None and package is not current else None
            if "LOAD_FAST" in op:
                current = _local(names[-1], known, code, line)
            continue
        if current is not None:
            yield current
        current = None
        if op in ("LOAD_GLOBAL", "LOAD_NAME"):
            current = Mention("global", told, (), line)
        elif op.startswith("LOAD_FAST") or op in ("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"):
            names = told if isinstance(told, tuple) else (told,)
            for name in names[:-1]:
                yield _local(name, known, code, line)
            current = _local(names[-1], known, code, line)
        elif op == "IMPORT_NAME":
            current = package = Mention("import", told, (), line)
        elif op == "STORE_ATTR":
            into.stored.add(told)
        elif op != "POP_TOP":
            package = None
    if current is not None:
        yield current


def _local(name: str, known: Mapping[str, Mention], code: CodeType, line: int) -> Mention:
    if name in known:
        alias = known[name]
        return Mention(alias.kind, alias.name, alias.attributes, line)
    return Mention("closure" if name in code.co_freevars else "unknown", name, (), line)
