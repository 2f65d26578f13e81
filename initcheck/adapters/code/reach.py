"""Everything that a call could reach, followed from function to function without calling one."""

from __future__ import annotations

import builtins
import enum
import functools
import inspect
import operator
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import BuiltinMethodType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from initcheck.adapters.code.harmless import harm_of_attribute, harm_of_path, is_followed, is_trusted
from initcheck.adapters.code.mentions import Mention, mentions_of

_MOST = 400  # functions followed; what reaches more is no initializer
_DEEPEST = 4  # containers in containers
_WIDEST = 200
# Libraries whose objects hold those of their user: the layers of a network.
_HOLDERS = ("torch", "keras", "flax", "equinox", "haiku")
_CACHE = type(functools.lru_cache(int))  # what a function becomes under functools.cache
_PLAIN = (type(None), bool, int, float, complex, str, bytes, bytearray, slice, range, type(Ellipsis))
# What asks for an attribute by a text.
_BY_TEXT: tuple[Any, ...] = (getattr, operator.attrgetter, operator.methodcaller)
# What a library's method calls of the class that it is asked of: an autograd function's.
_BEHIND = {"apply": ("forward", "setup_context")}
# What an enumeration calls of its class where it does not know a value.
_OF_ENUMS = ("_missing_", "_generate_next_value_")
_COMPARING = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__repr__")
_MAKING = ("__init__", "__new__", "__post_init__", "__init_subclass__", "__set_name__", "__del__")


@dataclass
class CallReach:
    """What calls of some objects could reach; objects are added, and followed until nothing new is found.

    What a call is handed is ours: arrays, generators, numbers, layers. So harm can come only from what is found by
    name, in the module, a closure or a default, and from what is made of it. A method is followed where a class that
    is reached has one of that name, whatever it is asked of.

    Attributes:
        paths: what was reached of libraries, as ``numpy.random.randn``.
        attributes: what is asked of objects of which nothing is known.
        stored: attributes that are set.
        lasting: whether an object that outlives the call is reached in which something can be put: a cache, a dict,
            a list, a global that is bound again.
        held: whether an instance of a user's class is reached that outlives the call.
    """

    paths: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    stored: set[str] = field(default_factory=set)
    lasting: bool = False
    held: bool = False
    _harm: dict[str, str] = field(default_factory=dict)
    _own_asked: dict[str, str] = field(default_factory=dict)  # of the instance that a method is asked of, and where
    _held_plainly: set[str] = field(default_factory=set)  # attributes of instances that are numbers or texts
    _codes: set[CodeType] = field(default_factory=set)
    _seen: dict[int, Any] = field(default_factory=dict)  # the objects are kept, so that no other gets their number
    _classes: dict[type, bool] = field(default_factory=dict)  # and whether one is made
    _waiting: list[FunctionType] = field(default_factory=list)

    @property
    def harm(self) -> dict[str, str]:
        """What may do harm, and where, each once; empty where nothing does."""
        own = {harm_of_attribute(name): (name, where) for name, where in self._own_asked.items()}
        own.pop(None, None)
        return {**{str(what): where for what, (name, where) in own.items() if not self._is_data(name)}, **self._harm}

    def _is_data(self, name: str) -> bool:
        """Whether instances hold something else under the name of a harmful method, as a field `truncate`, true or not.

        What is stored there was asked for elsewhere, under its own name.
        """
        found = [_static(cls, name) for cls in self._classes]
        given = any(name in getattr(cls, "__dataclass_fields__", ()) for cls in self._classes)
        plain = given or name in self.stored | self._held_plainly or any(isinstance(value, _PLAIN) for value in found)
        return plain and not any(map(callable, found))

    @property
    def keeps(self) -> bool:
        """Whether a call may leave something behind for the next one."""
        return self.lasting or (self.held and bool(self.stored))

    def add(self, obj: Any) -> CallReach:
        """Follow a call of an object."""
        self._touch(obj, "", 0)
        self._follow()
        return self

    def add_method(self, owner: type, name: str) -> CallReach:
        """Follow a method of a class, an instance being at hand."""
        self._classes.setdefault(owner, False)
        self.attributes.add(name)
        self._follow()
        return self

    def _follow(self) -> None:
        before = -1
        while before != (before := self._size) or self._waiting:
            while self._waiting:
                self._read(self._waiting.pop())
            self._touch_methods()

    @property
    def _size(self) -> int:
        return len(self._seen) + len(self._classes) + len(self.attributes) + len(self.stored)

    def _refuse(self, what: str | None, where: str) -> None:
        if what is not None:
            self._harm.setdefault(what, where)

    def _read(self, function: FunctionType) -> None:
        code = function.__code__
        if code in self._codes and not function.__closure__:
            return
        self._codes.add(code)
        where = f"{function.__qualname__}, line {code.co_firstlineno}"
        if len(self._codes) > _MOST:
            self._refuse(f"more than {_MOST} functions", where)
            return
        mentioned = mentions_of(code)
        self.stored |= mentioned.stored
        self.lasting |= mentioned.rebinds
        for mention in mentioned.found:
            self._resolve(mention, function, where)
        if any(_asks_by_text(m, function) for m in mentioned.found):
            for name in mentioned.strings:
                self._ask(name, where)
        for cell in function.__closure__ or ():
            self._touch(held_in(cell), where, 0)
        for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            self._touch(default, where, 0)

    def _ask(self, name: str, where: str) -> None:
        self.attributes.add(name)
        self._refuse(harm_of_attribute(name), where)

    def _resolve(self, mention: Mention, function: FunctionType, where: str) -> None:
        where = f"{function.__qualname__}, line {mention.line or function.__code__.co_firstlineno}"
        if mention.kind == "import":
            value: Any = sys.modules.get(mention.name)
            if value is None:
                path = ".".join((mention.name, *mention.attributes))
                self._refuse(f"import {mention.name}" if not is_trusted(mention.name) else harm_of_path(path), where)
                self.paths.add(path)
                return
        elif mention.kind == "global":
            if mention.name in function.__globals__:
                value = function.__globals__[mention.name]
            elif hasattr(builtins, mention.name):
                value = getattr(builtins, mention.name)
            else:
                return  # a NameError
        else:
            asked = list(mention.attributes)
            if asked and mention.name == _instance_of_method(function):
                self.attributes.add(first := asked.pop(0))
                self._own_asked.setdefault(first, where)
            for name in asked:
                self._ask(name, where)
            return
        self._walk(value, mention.attributes, where)

    def _walk(self, value: Any, names: tuple[str, ...], where: str) -> None:
        """Follow ``value.a.b`` as far as it can be told without asking for anything that could run."""
        for place, name in enumerate(names):
            if isinstance(value, ModuleType):
                inner = vars(value).get(name, _ABSENT)
                path = f"{value.__name__}.{'.'.join(names[place:])}"
                if is_trusted(value.__name__):
                    if isinstance(inner, ModuleType):
                        value = inner
                        continue
                    self.paths.add(path)
                    self._refuse(harm_of_path(path), where)
                    if inner is not _ABSENT:
                        self._touch(inner, where, 0, path=path)
                    return
                if harm_of_path(path) is None:  # of os, what only reads
                    return
                value = inner
                if value is _ABSENT:
                    self._refuse(path, where)
                    return
                continue
            found = _static(value, name)
            if found is _ABSENT or not isinstance(value, type):
                self._touch(value, where, 0)
                for rest in names[place:]:
                    self._ask(rest, where)
                return
            self._classes.setdefault(value, False)
            self.attributes |= {name, *_BEHIND.get(name, ())}
            value = found.__func__ if isinstance(found, (staticmethod, classmethod)) else found
        self._touch(value, where, 0)

    def _touch(self, value: Any, where: str, depth: int, path: str | None = None) -> None:
        """Take note of an object that could be called, and of what it holds."""
        if isinstance(value, _PLAIN) or id(value) in self._seen or depth > _DEEPEST:
            return
        self._seen[id(value)] = value
        if isinstance(value, ModuleType):
            if is_trusted(value.__name__):
                self.paths.add(f"{value.__name__}.*")  # handed on, or asked by getattr for whatever it holds
            else:
                self._refuse(f"module {value.__name__}", where)
            return
        wrapped = _static(value, "__wrapped__")
        if wrapped is not _ABSENT and not isinstance(wrapped, property):
            self._touch(wrapped, where, depth + 1)
        if isinstance(value, _CACHE):
            self.lasting = True  # the function itself was touched above
        elif isinstance(value, functools.partial):
            for held in (value.func, *value.args, *value.keywords.values()):
                self._touch(held, where, depth + 1)
        elif isinstance(value, (list, tuple, set, frozenset, Mapping)):
            self.lasting |= not isinstance(value, (tuple, frozenset))
            for part in _parts(value):
                self._touch(part, where, depth + 1)
            if isinstance(value, defaultdict):
                self._touch(value.default_factory, where, depth + 1)
            if not is_trusted(type(value).__module__):
                self._class(type(value), where, made=False)
        elif isinstance(value, MethodType):
            self._touch(value.__self__, where, depth + 1)
            self._touch(value.__func__, where, depth + 1)
        elif isinstance(value, FunctionType):
            if is_trusted(value.__module__) or not is_followed(value.__module__):
                self._of_library(path or f"{value.__module__}.{value.__qualname__}", where)
                if value.__module__ == "functools":  # it calls by type what a user's module has registered
                    for cell in value.__closure__ or ():
                        self._touch(held_in(cell), where, depth + 1)
            else:
                self._waiting.append(value)
        elif isinstance(value, (property, staticmethod, classmethod, functools.cached_property)):
            for part in (getattr(value, n, None) for n in ("fget", "fset", "func", "__func__")):
                self._touch(part, where, depth + 1)
        elif isinstance(value, type):
            self._class(value, where, made=True, path=path)
        elif isinstance(value, BuiltinMethodType) or inspect.isroutine(value):
            self._of_library(path or _path_of(value), where)
        else:
            self._instance(value, where, depth)

    def _of_library(self, path: str, where: str) -> None:
        self.paths.add(path)
        self._refuse(harm_of_path(path), where)

    def _instance(self, value: Any, where: str, depth: int) -> None:
        cls = type(value)
        if is_trusted(cls.__module__) or f"{cls.__module__}.{cls.__qualname__}" == "_thread.lock":
            self._refuse(harm_of_path(f"{cls.__module__}.{cls.__qualname__}"), where)
        else:
            self._class(cls, where, made=False)
            self.held = True
        self._held_plainly |= {name for name, held in _dict_of(value).items() if isinstance(held, _PLAIN)}
        holds_users = not is_trusted(cls.__module__) or cls.__module__.partition(".")[0] in _HOLDERS
        for part in _parts(_dict_of(value)) if holds_users else ():
            self._touch(part, where, depth + 1)

    def _class(self, cls: type, where: str, *, made: bool, path: str | None = None) -> None:
        for base in [*inspect.getmro(cls), *inspect.getmro(type(cls))]:
            if base in (object, type):
                continue
            name = f"{base.__module__}.{base.__qualname__}"
            if is_trusted(base.__module__):
                self.paths.add(path if base is cls and path else name)
                self._refuse(harm_of_path(path if base is cls and path else name), where)
            elif is_followed(base.__module__) and _is_written_in_python(base):
                self._classes[base] = self._classes.get(base, False) or made
            else:
                self._refuse(harm_of_path(name), where)

    def _touch_methods(self) -> None:
        """The methods of the classes reached whose names are asked for, or that Python calls by itself."""
        for cls, made in list(self._classes.items()):
            for name, value in list(vars(cls).items()):
                special = name.startswith("__") and name.endswith("__")
                special = special or (name in _OF_ENUMS and issubclass(cls, enum.Enum))
                if (special and name in _MAKING and not made) or (name in _COMPARING and _is_generated(cls, value)):
                    continue
                if (special and name not in ("__dict__", "__weakref__", "__module__", "__doc__")) or (
                    name in self.attributes or name in self.stored
                ):
                    before = self.lasting
                    self._touch(value, cls.__qualname__, 0)
                    # Such as the fields of a dataclass: nothing that a call asks for by name.
                    self.lasting = before if special else self.lasting


_ABSENT = object()


def _instance_of_method(function: FunctionType) -> str | None:
    """What a method calls its instance; None of a plain function."""
    owner, code = function.__qualname__.rpartition(".")[0], function.__code__
    is_method = bool(owner) and not owner.endswith("<locals>") and code.co_argcount > 0
    return code.co_varnames[0] if is_method else None


def _is_generated(cls: type, method: Any) -> bool:
    """Whether a dataclass wrote it: of its fields, whatever they are called, it reads the values."""
    code = getattr(inspect.unwrap(method), "__code__", None) if inspect.isfunction(method) else None
    return code is not None and code.co_filename == "<string>" and "__dataclass_fields__" in vars(cls)


def _asks_by_text(mention: Mention, function: FunctionType) -> bool:
    """Whether it is getattr or its kin, under whatever name."""
    if {"getattr", "attrgetter", "methodcaller"} & {mention.name, *mention.attributes}:
        return True
    found = function.__globals__.get(mention.name) if mention.kind == "global" else None
    return any(found is asks for asks in _BY_TEXT)


def held_in(cell: CellType) -> Any:
    """What a closure holds; None of a name that is bound later."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _static(value: Any, name: str) -> Any:
    """An attribute without running a property or ``__getattr__``."""
    try:
        return inspect.getattr_static(value, name, _ABSENT)
    except Exception:  # a class whose `__dict__` is no mapping
        return _ABSENT


def _dict_of(value: Any) -> dict[str, Any]:
    """What an instance holds, without asking its class."""
    try:
        held = object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        return {}
    return held if isinstance(held, dict) else {}


def _parts(value: Any) -> Iterator[Any]:
    """Some of what a container holds; of one that only looks like a mapping nothing, as asking it runs its code."""
    if isinstance(value, dict):
        held = [*list(value.values())[:_WIDEST], *list(value)[:_WIDEST]]
    else:
        held = list(value)[:_WIDEST] if type(value) in (list, tuple, set, frozenset) else []
    yield from held


def _path_of(value: Any) -> str:
    """The dotted name of what is written in C: ``numpy.random.normal`` is a method of a hidden object."""
    module: str | None = getattr(value, "__module__", None)
    owner = getattr(value, "__self__", None)
    name = getattr(value, "__name__", type(value).__name__)
    if module is None and owner is not None:
        cls = owner if isinstance(owner, type) else type(owner)
        module = owner.__name__ if isinstance(owner, ModuleType) else cls.__module__
    if module is None:
        module = str(getattr(getattr(value, "__objclass__", None), "__module__", type(value).__module__))
    known = {"posix": "os", "nt": "os", "_io": "builtins", "io": "builtins"}.get(module, module)
    return f"{known}.{name}"


def _is_written_in_python(cls: type) -> bool:
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return cls.__module__ not in sys.builtin_module_names and (file is None or file.endswith((".py", ".pyc")))


def keeps_between_calls(obj: Any) -> bool:
    """Whether a call of an object may fill a cache, a table or a global that a later call reads.

    >>> table = {}
    >>> keeps_between_calls(lambda n: table.setdefault(n, n**0.5)), keeps_between_calls(lambda n: n**0.5)
    (True, False)

    Of an object and its class alike what is asked is a call of the object. What a call makes and drops keeps nothing.
    """
    reach = CallReach().add(obj)
    if isinstance(obj, type):
        reach.add_method(obj, "__call__")
    return reach.keeps
