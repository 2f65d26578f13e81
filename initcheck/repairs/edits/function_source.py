"""The source of a user's function as text that can be changed in places, and run again with the changes."""

from __future__ import annotations

import ast
import copy
import dataclasses
import functools
import inspect
import itertools
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from initcheck.adapters.code.evidence import evidence_of
from initcheck.adapters.code.reach import held_in
from initcheck.adapters.signatures.frameworks import FRAMEWORKS, home


@dataclass(frozen=True, order=True)
class Change:
    """One piece of the source and what stands there instead.

    Attributes:
        start, end: its bytes.
        text: what is written in its place.
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class FunctionSource:
    """A function of the user's own, as it is written.

    Attributes:
        function: what was defined.
        given: what its decorators made of it, a partial of it, or the class whose method it is; the function itself
            where there is nothing else.
        text: the ``def`` and its body, without indentation; decorators are left out where they gave the function back
            as it was.
        tree: the same, parsed.
        first: the line of the file on which the text starts.
        many_axes: it is asked for shapes of more axes than two, too.
        dtype: of what it returns today, by NumPy's name; empty where that is not known.
        indent: in front of its lines in the file.
        method: it is one, and takes its object first.
    """

    function: FunctionType
    given: Callable[..., Any]
    text: str
    tree: ast.FunctionDef
    first: int
    many_axes: bool = False
    dtype: str = ""
    indent: str = ""
    method: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parameters that are asked for something."""
        arguments = self.tree.args
        names = tuple(a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs))
        return names[1:] if self.method else names

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node stands, in bytes."""
        starts = self._starts
        first, last = node.lineno, node.end_lineno  # type: ignore[attr-defined]
        return starts[first - 1] + node.col_offset, starts[last - 1] + node.end_col_offset  # type: ignore[attr-defined]

    def of(self, node: ast.AST) -> str:
        """How a node is written."""
        start, end = self.span(node)
        return self.text.encode()[start:end].decode()

    def change(self, node: ast.AST, text: str) -> Change:
        """Write something in place of a node."""
        return Change(*self.span(node), text)

    def without(self, node: ast.stmt) -> Change:
        """Take out a statement with its line; ``pass`` stays where it was alone."""
        siblings = next(b for b in self._bodies() if node in b)
        if len(siblings) == 1:
            return self.change(node, "pass")
        start, end = self.span(node)
        body = self.text.encode()
        line = body.rfind(b"\n", 0, start) + 1
        stop = body.find(b"\n", end)
        behind = body[end : stop if stop >= 0 else None].strip()
        alone = not body[line:start].strip() and (not behind or behind.startswith(b"#"))
        return Change(line, stop + 1 if stop >= 0 else len(body), "") if alone else self.change(node, "pass")

    def before(self, node: ast.stmt, line: str) -> Change:
        """Write a line in front of a statement."""
        start, _ = self.span(node)
        return Change(start, start, f"{line}\n{' ' * node.col_offset}")

    def changed(self, changes: Sequence[Change]) -> str | None:
        """The text with changes; None where two of them overlap."""
        body, done = self.text.encode(), -1
        pieces: list[bytes] = []
        place = 0
        for change in sorted(changes):
            if change.start < done or change.start < place:
                return None
            pieces += [body[place : change.start], change.text.encode()]
            place = done = change.end
        return b"".join([*pieces, body[place:]]).decode()

    def rewritten(self, text: str) -> FunctionSource:
        """The same function after a change, to be changed again.

        Raises:
            SyntaxError: the text is no function.
        """
        [definition] = ast.parse(text).body
        assert isinstance(definition, ast.FunctionDef)
        return dataclasses.replace(self, text=text, tree=definition)

    def knows(self, name: str) -> bool:
        """Whether a name means something where the function is written."""
        return name in self.function.__globals__ or name in self.function.__code__.co_freevars

    def run(self, text: str) -> Callable[..., Any]:
        """Define the changed function among the names that the original sees.

        Raises:
            Exception: whatever defining it raises.
        """
        function = self.function
        scope = dict(function.__globals__)
        free = function.__code__.co_freevars
        cells = function.__closure__ or ()
        # A module that no process can import: the function then travels by value.
        scope["__name__"] = "initcheck_mended"
        wrapped = f"def _scope({', '.join(free)}):\n{textwrap.indent(text, '    ')}\n    return {self.tree.name}\n"
        tree = ast.parse(wrapped) if free else ast.parse(text)
        exec(compile(tree, f"<{self.tree.name}, changed>", "exec", dont_inherit=True, flags=self._futures), scope)
        made: Any = scope["_scope"](*map(held_in, cells)) if free else scope[self.tree.name]
        if isinstance(self.given, FunctionType):
            for name, value in vars(self.given).items():
                if name != "__wrapped__":
                    setattr(made, name, value)
        if isinstance(made, FunctionType) and not hasattr(made, "__wrapped__"):
            made.__defaults__, made.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
            made.__module__ = scope["__name__"]
        changed: Callable[..., Any] = _in_place_of(function, made, self.given)
        return changed

    @property
    def _futures(self) -> int:
        import __future__

        flags = self.function.__code__.co_flags
        return flags & __future__.annotations.compiler_flag

    @property
    def _starts(self) -> list[int]:
        lengths = (len(line) for line in self.text.encode().splitlines(keepends=True))
        return [0, *itertools.accumulate(lengths)]

    def _bodies(self) -> Iterator[list[ast.stmt]]:
        for node in ast.walk(self.tree):
            for field in ("body", "orelse", "finalbody"):
                found = getattr(node, field, None)
                if isinstance(found, list):
                    yield found


def source_of(obj: Any) -> FunctionSource | None:
    """The source of a plain function; None of a library's, of a lambda, and of one that may do harm if it is changed.

    A function that touches files or other programs would touch others after a change of its expressions: it is left.
    """
    function = _written(obj)
    if function is None or home(function) in FRAMEWORKS:
        return None
    file = getattr(sys.modules.get(function.__module__), "__file__", None)
    if file is not None and "site-packages" in file:
        return None
    if evidence_of(function, function.__name__).harm is not None:
        return None
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef) or tree.body[0].name != function.__name__:
        return None
    above = tree.body[0].lineno - 1 if function is obj else 0
    text = "".join(textwrap.dedent("".join(lines)).splitlines(keepends=True)[above:])
    text = text if text.endswith("\n") else f"{text}\n"
    [definition] = ast.parse(text).body
    assert isinstance(definition, ast.FunctionDef)
    indent, method = lines[0][: len(lines[0]) - len(lines[0].lstrip())], _is_of_a_class(obj)
    return FunctionSource(function, obj, text, definition, first + above, indent=indent, method=method)


def why_left(obj: Any) -> str:
    """Why ``source_of`` gives nothing of an object, in words."""
    function = _written(obj)
    if function is not None and home(function) not in FRAMEWORKS:
        if (harm := evidence_of(function, function.__name__).harm) is not None:
            return f"its code reaches {harm}, which a changed copy of it would do as well"
        if function.__name__ == "<lambda>":
            return "it is a lambda; written as a function (def) it could be changed in places"
    return "its source is no function of yours that could be changed, and no function around it mends this"


def _written(obj: Any) -> FunctionType | None:
    """The function that is written: behind decorators and partials, or the ``__call__`` of a class of the user's."""
    if isinstance(obj, functools.partial):
        return _written(obj.func)
    if _is_of_a_class(obj):
        found = inspect.getattr_static(obj if isinstance(obj, type) else type(obj), "__call__", None)
        return found if isinstance(found, FunctionType) else None
    function = inspect.unwrap(obj) if callable(obj) else obj
    return function if isinstance(function, FunctionType) else None


def _is_of_a_class(obj: Any) -> bool:
    if isinstance(obj, functools.partial):
        return _is_of_a_class(obj.func)
    return isinstance(obj, type) or not (isinstance(obj, FunctionType) or hasattr(obj, "__wrapped__"))


def _in_place_of(function: FunctionType, made: Any, given: Any) -> Any:
    """What the user names, with the changed function in place of the written one."""
    if isinstance(given, functools.partial):
        return functools.partial(_in_place_of(function, made, given.func), *given.args, **given.keywords)
    if not _is_of_a_class(given):
        return made
    cls = given if isinstance(given, type) else type(given)
    said = {"__call__": made, "__module__": made.__module__, "__doc__": cls.__doc__}
    changed = type(cls.__name__, (cls,), {**said, "__slots__": ()})  # else an object with slots could be none of it
    if isinstance(given, type):
        return changed
    one = copy.copy(given)
    object.__setattr__(one, "__class__", changed)  # one that is frozen too
    return one
