"""Init statements behind a guard on names or on classes that never ran: the only sign of a start that was bypassed."""

from __future__ import annotations

import ast
import contextlib
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from types import CodeType, FrameType, FunctionType
from typing import TYPE_CHECKING, Any

from initcheck.adapters.signatures.nested_code import nested_code
from initcheck.models.provenance.steps import in_library

if TYPE_CHECKING:
    import torch


_WRITES = frozenset({
    "normal_", "uniform_", "trunc_normal_", "xavier_uniform_", "xavier_normal_", "kaiming_uniform_",
    "kaiming_normal_", "orthogonal_", "zeros_", "ones_", "constant_", "fill_", "zero_", "mul_", "div_", "copy_",
    "sparse_", "eye_", "dirac_", "add_",
})  # fmt: skip

_INITIALISES = re.compile(
    r"^_?(re)?init_?$|init\w*_(weights?|param\w*|layers?|modules?)$|initiali[sz]e|^reset_param|weights?_init"
)

_MATCHES = frozenset({"endswith", "startswith", "match", "fullmatch", "search", "fnmatch", "fnmatchcase"})

_DRAWS = re.compile(r"normal|uniform|xavier|kaiming|glorot|lecun|orthogonal|sparse")
"""Names of calls that draw what they write; a norm's ones and a bias's zeros are what a layer starts from anyway."""


@dataclass(frozen=True)
class Guard:
    """One ``if`` that asks for a name, or for the class of a module, and holds init statements.

    Attributes:
        file, line: of the ``if``.
        condition: its source.
        body: lines of the init statements behind it.
        code: the code object it stands in.
        otherwise: they stand behind its ``else``.
        kinds: the classes, or the texts in the name of one, that a module is asked for; empty where a name is.
        columns: where on its own line such statements stand, which no line tells from the question.
    """

    file: str
    line: int
    condition: str
    body: tuple[int, ...]
    code: CodeType
    otherwise: bool = False
    kinds: tuple[str, ...] = ()
    columns: tuple[int, ...] = ()


def init_guards(model: torch.nn.Module, factory: Callable[..., Any]) -> tuple[Guard, ...]:
    """The guards in the methods of the model's own classes and in the factory."""
    found: list[Guard] = []
    # What a library asks of names is its own affair: the one who builds the model did not write it.
    for function in _functions(model, factory):
        found.extend(_guards_of(function))
    return tuple(sorted(found, key=lambda g: (g.file, g.line)))


class LineWatch(contextlib.AbstractContextManager["LineWatch"]):
    """Notes which lines of a few functions run; every other function costs one look-up a call."""

    def __init__(self, guards: Iterable[Guard], calls: Iterable[CodeType] = ()) -> None:
        guards = list(guards)
        self._codes = frozenset(inner for guard in guards for inner in nested_code(guard.code))
        self._of_one_line = frozenset(inner for g in guards if g.columns for inner in nested_code(g.code))
        self._calls = frozenset(calls)
        self._positions: dict[CodeType, list[Any]] = {}
        self.lines: set[tuple[str, int]] = set()
        self.places: set[tuple[str, int, int]] = set()
        self.called: set[CodeType] = set()
        self._before: Any = None

    def __enter__(self) -> LineWatch:
        self._before = sys.gettrace()
        sys.settrace(self._on_call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _on_call(self, frame: FrameType, event: str, _arg: Any) -> Any:
        if frame.f_code in self._calls:
            self.called.add(frame.f_code)
        if frame.f_code not in self._codes:
            return None
        frame.f_trace_opcodes = frame.f_code in self._of_one_line
        return self._on_line

    def _on_line(self, frame: FrameType, event: str, _arg: Any) -> Any:
        code = frame.f_code
        if event == "line":
            self.lines.add((code.co_filename, frame.f_lineno))
        elif event == "opcode":
            if code not in self._positions:
                self._positions[code] = list(code.co_positions())
            line, _, column, _ = self._positions[code][frame.f_lasti // 2]
            if line is not None and column is not None:
                self.places.add((code.co_filename, line, column))
        return self._on_line

    def never_ran(self, guards: Iterable[Guard]) -> list[Guard]:
        """The guards that were asked and whose init statements never ran."""
        return [
            g
            for g in guards
            if (g.file, g.line) in self.lines
            and not any((g.file, line) in self.lines for line in g.body if line != g.line)
            and not any((g.file, g.line, column) in self.places for column in g.columns)
        ]


def init_methods(model: torch.nn.Module) -> dict[CodeType, str]:
    """Methods of the user's own classes that are called an initialisation and hold init statements, by their code."""
    found: dict[CodeType, str] = {}
    for cls in _classes(model):
        for name, value in vars(cls).items():
            function = _function_of(value)
            if function is not None and _INITIALISES.search(name) and _holds_init(function.__code__):
                found[function.__code__] = f"{cls.__name__}.{name}()"
    return {code: name for code, name in found.items() if not in_library(code.co_filename)}


def named_beside(model: torch.nn.Module) -> list[str]:
    """What the constructors and the forward of the user's own classes name: each decides whether to call it."""
    found = (_function_of(vars(cls).get(name)) for cls in _classes(model) for name in ("__init__", "forward"))
    codes = [f.__code__ for f in found if f is not None and not in_library(f.__code__.co_filename)]
    return sorted({name for code in codes for name in code.co_names})


def _classes(model: torch.nn.Module) -> list[type]:
    every = dict.fromkeys(c for m in model.modules() for c in type(m).__mro__)
    return [c for c in every if c.__module__.partition(".")[0] not in ("torch", "builtins")]


def _functions(model: torch.nn.Module, factory: Callable[..., Any]) -> Iterator[FunctionType]:
    """The factory, the methods of the model's classes, and the functions of their modules that these name."""
    seen: set[CodeType] = set()
    waiting: list[Any] = [getattr(factory, "func", factory)]
    waiting += [value for cls in _classes(model) for value in vars(cls).values()]
    while waiting:
        function = _function_of(waiting.pop())
        if function is None or function.__code__ in seen or in_library(function.__code__.co_filename):
            continue
        seen.add(function.__code__)
        named = (function.__globals__.get(name) for name in function.__code__.co_names)
        waiting += [value for value in named if isinstance(value, FunctionType)]
        if _holds_init(function.__code__):
            yield function


def _function_of(value: Any) -> FunctionType | None:
    if not (callable(value) or hasattr(value, "__func__")) or isinstance(value, type):
        return None
    function = inspect.unwrap(getattr(value, "__func__", value))
    return function if isinstance(function, FunctionType) else None


def _holds_init(code: CodeType) -> bool:
    names = {name for inner in nested_code(code) for name in inner.co_names}
    return bool(names & _WRITES) or "init" in names


def _guards_of(function: FunctionType) -> Iterator[Guard]:
    code = function.__code__
    try:
        written = inspect.getsource(function)
        tree = ast.parse(textwrap.dedent(written))
    except (OSError, TypeError, SyntaxError, ValueError):
        return
    offset, indent = code.co_firstlineno - 1, len(written) - len(written.lstrip())
    names, words = _name_variables(tree), _names_of_classes(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and _asks_for_a_name(node.test, names):
            for branch, otherwise in ((node.body, False), (node.orelse, True)):
                body = _init_lines(branch, offset)
                columns = _columns(branch, node.lineno, indent)
                # An elif asks again: only a plain else is the other side of this question.
                if body and not (otherwise and len(branch) == 1 and isinstance(branch[0], ast.If)):
                    said = ast.unparse(node.test)
                    yield Guard(code.co_filename, node.lineno + offset, said, body, code, otherwise, columns=columns)
        elif isinstance(node, ast.If) and (kinds := _kinds_asked_for(node.test, words)):
            body = _init_lines(node.body, offset, _DRAWS)
            columns = _columns(node.body, node.lineno, indent, _DRAWS)
            if body:
                said = ast.unparse(node.test)
                yield Guard(code.co_filename, node.lineno + offset, said, body, code, kinds=kinds, columns=columns)


def _init_calls(branch: list[ast.stmt], of: re.Pattern[str] | None) -> Iterator[ast.Call]:
    return (c for s in branch for c in ast.walk(s) if isinstance(c, ast.Call) and _is_init_call(c, of))


def _init_lines(branch: list[ast.stmt], offset: int, of: re.Pattern[str] | None = None) -> tuple[int, ...]:
    return tuple(sorted({c.lineno + offset for c in _init_calls(branch, of)}))


def _columns(branch: list[ast.stmt], line: int, indent: int, of: re.Pattern[str] | None = None) -> tuple[int, ...]:
    """Where the init calls on the line of their own ``if`` stand in the file."""
    return tuple(sorted({c.col_offset + indent for c in _init_calls(branch, of) if c.lineno == line}))


def _name_variables(tree: ast.AST) -> set[str]:
    """Variables that hold a name: parameters called so, and what loops over named parameters or modules yield."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and "name" in node.arg:
            found.add(node.arg)
        if isinstance(node, (ast.For, ast.comprehension)):
            looped = ast.unparse(node.iter)
            if ".named_" in looped or "state_dict()" in looped:
                found |= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
    return found


def _asks_for_a_name(test: ast.expr, names: set[str]) -> bool:
    """A name compared with text, or a flag in capitals that is looked for on a module."""
    for node in ast.walk(test):
        if isinstance(node, ast.Call):
            texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            called = getattr(node.func, "id", "")
            if called in ("hasattr", "getattr") and any(t.isupper() for t in texts):
                return True
        used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & names
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in _MATCHES and used:
            return True
        if isinstance(node, ast.Compare) and used and isinstance(node.ops[0], (ast.In, ast.NotIn, ast.Eq, ast.NotEq)):
            # Text in a name, or a name among texts; a name among the keys of a dict is another question.
            asked = node.comparators[-1]
            if any(_is_text(side) for side in (node.left, *node.comparators)) or getattr(asked, "id", "") in names:
                return True
    return False


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return any(_is_text(item) for item in node.elts)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_init_call(node: ast.Call, of: re.Pattern[str] | None = None) -> bool:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in _WRITES if of is None else name.endswith("_") and of.search(name) is not None


def _names_of_classes(tree: ast.AST) -> set[str]:
    """Variables that hold the name of a class: ``classname = m.__class__.__name__``."""
    named = (n for n in ast.walk(tree) if isinstance(n, ast.Assign) and _is_name_of_class(n.value, frozenset()))
    return {target.id for n in named for target in n.targets if isinstance(target, ast.Name)}


def _is_name_of_class(node: ast.AST, words: Collection[str]) -> bool:
    return any(
        (isinstance(n, ast.Attribute) and n.attr == "__name__") or (isinstance(n, ast.Name) and n.id in words)
        for n in ast.walk(node)
    )


def _kinds_asked_for(test: ast.expr, words: Collection[str]) -> tuple[str, ...]:
    """The classes that a module is asked for, or the texts that the name of its class is: nothing of what denies it.

    >>> _kinds_asked_for(ast.parse("isinstance(m, (nn.Conv1d, nn.Conv2d))", mode="eval").body, ())
    ('Conv1d', 'Conv2d')
    >>> _kinds_asked_for(ast.parse("'Conv' in name and m.bias is not None", mode="eval").body, ["name"])
    ('Conv',)
    """
    found: list[str] = []
    for node in ast.walk(test):
        if isinstance(node, ast.Not):
            return ()
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance" and len(node.args) == 2:
            found += _class_names(node.args[1])
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Is, ast.Eq, ast.In)):
            asked = [node.left, *node.comparators]
            if any(isinstance(n, ast.Call) and getattr(n.func, "id", "") == "type" for n in asked):
                found += [name for n in asked if not isinstance(n, ast.Call) for name in _class_names(n)]
            elif any(_is_name_of_class(n, words) for n in asked):
                found += _texts(node)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in _FINDS:
            owner = node.func.value if isinstance(node.func, ast.Attribute) else node
            found += _texts(node) if _is_name_of_class(owner, words) else []
    return tuple(dict.fromkeys(found))


_FINDS = _MATCHES | {"find", "count", "index"}


def _class_names(node: ast.expr) -> list[str]:
    parts = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else [node]
    return [p.attr if isinstance(p, ast.Attribute) else p.id for p in parts if isinstance(p, (ast.Attribute, ast.Name))]


def _texts(node: ast.AST) -> list[str]:
    return [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
