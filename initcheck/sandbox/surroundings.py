"""What of a process user code can change for everybody: looked at before and after, put back, and named."""

from __future__ import annotations

# Without the enumerations of `signal`, which cost ten times as much.
import _signal  # type: ignore[import-not-found]
import contextlib
import ctypes
import functools
import locale
import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.sandbox.descriptors import Descriptors
from initcheck.sandbox.functions import Functions

# Bound now: user code may put something else in their place.
_getcwd, _chdir, _umask, _fspath = os.getcwd, os.chdir, os.umask, os.fspath
_geterr, _seterr = np.geterr, np.seterr
_print_options, _set_print_options = np.get_printoptions, np.set_printoptions
_locale, _set_locale, _ALL = locale.setlocale, locale.setlocale, locale.LC_ALL
_modules = sys.modules

_stuck: set[str] = set()


def stuck() -> frozenset[str]:
    """What could not be put back in this process: the next initializer should be given another."""
    return frozenset(_stuck)


@dataclass(frozen=True)
class ProcessState:
    """One thing of a process.

    Attributes:
        name: how a report calls it.
        read: what it is now.
        put_back: make it so again; nothing to be done where None.
    """

    name: str
    read: Callable[[], Any]
    put_back: Callable[[Any], object] | None


class Surroundings:
    """What everything is now; later it is put back.

    Args:
        whole: whether to look at everything, which costs half a millisecond; else at what calls change most often.
        at_import: whether to look only at what no module can mean to change for the functions in it: what it takes
            from all code that comes after.

    >>> before = Surroundings()
    >>> _ = sys.setrecursionlimit(sys.getrecursionlimit() + 7)
    >>> before.put_back()
    ('recursion limit',)
    """

    def __init__(self, *, whole: bool = True, at_import: bool = False) -> None:
        self._states = _of_import() if at_import else _of_loaded(whole, "torch" in _modules, "jax" in _modules)
        self._before = [state.read() for state in self._states]
        self._functions = Functions(whole=whole, frameworks=not at_import)
        self._descriptors = Descriptors() if whole else None

    def put_back(self) -> tuple[str, ...]:
        """Undo what was done since; the names of what was changed. Never raises, whatever was done."""
        # The functions first: what follows calls them.
        changed = [f"functions of {name}" for name in self._functions.put_back()]
        try:
            if self._descriptors is not None and self._descriptors.put_back():
                changed.append("standard descriptors")
        except OSError:
            _stuck.add("standard descriptors")
        for state, before in zip(self._states, self._before, strict=True):
            try:
                if _same(state.read(), before):
                    continue
            except BaseException:
                pass
            changed.append(state.name)
            try:
                if state.put_back is not None:
                    state.put_back(before)
                if not _same(state.read(), before):
                    _stuck.add(state.name)
            except BaseException:
                _stuck.add(state.name)
        return tuple(changed)


def _same(now: Any, before: Any) -> bool:
    # What is compared was made here or is compared by identity: no method of a user's object is called.
    return bool(now == before)


def _directory() -> str | None:
    try:
        return _getcwd()
    except OSError:  # it was removed
        return None


def _back_to(directory: str | None) -> None:
    if directory is not None:
        _chdir(directory)


def _environment() -> dict[Any, Any]:
    # The table behind ``os.environ``: copying it costs a tenth of decoding every variable.
    return dict(getattr(os.environ, "_data", os.environ))


def _restore_environment(before: Mapping[Any, Any]) -> None:
    decode = getattr(os.environ, "decodevalue", lambda value: value)
    wanted = {decode(key): decode(value) for key, value in before.items()}
    for key in set(os.environ) - set(wanted):
        del os.environ[key]
    os.environ.update(wanted)


def _mask() -> int:
    mask = _umask(0o077)
    _umask(mask)
    return mask


class _Same:
    """Objects that are the same where they are identical."""

    def __init__(self, *objects: Any) -> None:
        self.objects = objects

    def __eq__(self, other: object) -> bool:
        mine = self.objects
        return (
            isinstance(other, _Same)
            and len(mine) == len(other.objects)
            and all(a is b for a, b in zip(mine, other.objects, strict=True))
        )

    __hash__ = None  # type: ignore[assignment]


def _hooks() -> _Same:
    return _Same(sys.excepthook, sys.unraisablehook, sys.displayhook, threading.excepthook)


def _put_hooks_back(before: _Same) -> None:
    sys.excepthook, sys.unraisablehook, sys.displayhook, threading.excepthook = before.objects


def _path() -> list[Any]:
    return [sys.path, list(sys.path)]


def _put_path_back(before: list[Any]) -> None:
    sys.path = before[0]
    sys.path[:] = before[1]


class _ImportPaths:
    """Where modules are looked for; that places are added is no change."""

    def __init__(self) -> None:
        self.lists: tuple[list[Any], ...] = (sys.path, sys.meta_path, sys.path_hooks)
        self.entries = [list(there) for there in self.lists]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ImportPaths) and not any(self.lost(other))

    __hash__ = None  # type: ignore[assignment]

    def lost(self, before: _ImportPaths) -> list[list[Any]]:
        """What was there before and is gone, by identity: an entry is asked nothing."""
        return [
            [entry for entry in then if not any(entry is one for one in now)]
            for then, now in zip(before.entries, self.entries, strict=True)
        ]


def _put_import_paths_back(before: _ImportPaths) -> None:
    added = before.lost(_ImportPaths())  # what is there now and was not
    for there, entries, new in zip(before.lists, before.entries, added, strict=True):
        there[:] = [*new, *entries]
    sys.path, sys.meta_path, sys.path_hooks = before.lists


def _signals() -> tuple[Any, ...]:
    return tuple(map(_signal.getsignal, range(1, 32)))


def _put_signals_back(before: tuple[Any, ...]) -> None:
    for number, handler in enumerate(before, start=1):
        if handler is not None and _signal.getsignal(number) != handler:
            with contextlib.suppress(OSError, ValueError):  # not from a thread
                _signal.signal(number, handler)


def _timers() -> tuple[bool, ...]:
    return tuple(_signal.getitimer(which)[0] > 0 for which in range(3))


def _put_timers_back(before: tuple[bool, ...]) -> None:
    for which, armed in enumerate(before):
        if not armed:
            _signal.setitimer(which, 0)


class _Loaded:
    """The modules that are loaded; that others come is no change."""

    _last: dict[str, Any] = {}  # noqa: RUF012 - shared on purpose: copied again only where an import changed it

    def __init__(self) -> None:
        cls = type(self)
        if list(cls._last.values()) != list(_modules.values()):
            cls._last = dict(_modules)
        self.table, self.modules = sys.modules, cls._last

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Loaded) or self.table is not other.table:
            return False
        if self.modules is other.modules:
            return True
        get = self.modules.get
        return all(get(name) is module for name, module in other.modules.items())

    __hash__ = None  # type: ignore[assignment]


class _NumberLoaded:
    """How many modules are loaded, which only falls where some are taken away: a look that costs nothing."""

    def __init__(self) -> None:
        if not _Loaded._last:
            _Loaded()
        self.table, self.number = sys.modules, len(sys.modules)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _NumberLoaded) and self.table is other.table and self.number >= other.number

    __hash__ = None  # type: ignore[assignment]


def _put_modules_back(before: _Loaded | _NumberLoaded) -> None:
    sys.modules = before.table
    before.table.update(_Loaded._last if isinstance(before, _NumberLoaded) else before.modules)


@functools.cache
def _rounding() -> tuple[Callable[[], int], Callable[[int], int]] | None:
    try:
        library = ctypes.CDLL(None)
        return library.fegetround, library.fesetround
    except (OSError, AttributeError, TypeError):  # Windows keeps them elsewhere
        return None


def _of_each_call() -> list[ProcessState]:
    return [
        ProcessState("np.errstate", _geterr, lambda before: _seterr(**before)),
        ProcessState("working directory", _directory, _back_to),
        ProcessState("environment", _environment, _restore_environment),
        ProcessState("umask", _mask, _umask),
        ProcessState("recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
        # Our own code imports between the calls.
        ProcessState("sys.path", _path, _put_path_back),
        ProcessState("sys.modules", _NumberLoaded, _put_modules_back),
    ]


def _of_each_claim() -> list[ProcessState]:
    states = [
        ProcessState("locale", lambda: _locale(_ALL), lambda before: _set_locale(_ALL, before)),
        ProcessState("digit limit", sys.get_int_max_str_digits, sys.set_int_max_str_digits),
        ProcessState("NumPy print options", _print_options, lambda before: _set_print_options(**before)),
        ProcessState("sys.modules", _Loaded, _put_modules_back),
        ProcessState("exception hooks", _hooks, _put_hooks_back),
        ProcessState("import hooks", _ImportPaths, _put_import_paths_back),
    ]
    if os.name == "posix":
        states.append(ProcessState("signal handlers", _signals, _put_signals_back))
        states.append(ProcessState("timers", _timers, _put_timers_back))
    rounding = _rounding()
    if rounding is not None:
        states.append(ProcessState("rounding mode", rounding[0], lambda before: rounding[1](before)))
    return states


@functools.cache
def _of_import() -> tuple[ProcessState, ...]:
    kept = ("umask", "sys.modules", "import hooks", "signal handlers", "timers", "rounding mode")
    exact = {state.name: state for state in (*_of_each_call(), *_of_each_claim())}
    return tuple(exact[name] for name in kept if name in exact)


def _of_torch(torch: Any, whole: bool) -> list[ProcessState]:
    states = [
        ProcessState("torch default dtype", torch.get_default_dtype, torch.set_default_dtype),
        ProcessState("torch grad mode", torch.is_grad_enabled, torch.set_grad_enabled),
    ]
    if not whole:
        return states
    modes = torch._C._len_torch_function_stack if hasattr(torch._C, "_len_torch_function_stack") else None
    states += [
        ProcessState("torch threads", torch.get_num_threads, torch.set_num_threads),
        ProcessState("torch inference mode", torch.is_inference_mode_enabled, None),
        ProcessState(
            "torch deterministic algorithms",
            lambda: (
                torch.are_deterministic_algorithms_enabled(),
                torch.is_deterministic_algorithms_warn_only_enabled(),
            ),
            lambda before: torch.use_deterministic_algorithms(before[0], warn_only=before[1]),
        ),
    ]
    if modes is not None:

        def read() -> tuple[int, str]:
            number = modes()
            return number, str(torch.get_default_device()) if number else "cpu"

        def put_back(before: tuple[int, str]) -> None:
            torch.set_default_device(before[1] if before[0] else None)
            while modes() > before[0]:
                torch._C._pop_torch_function_stack()

        states.append(ProcessState("torch default device or function modes", read, put_back))
    return states


def _of_jax(jax: Any) -> list[ProcessState]:
    def put_back(before: bool) -> None:
        jax.config.update("jax_enable_x64", before)

    return [ProcessState("jax x64", lambda: bool(jax.config.jax_enable_x64), put_back)]


@functools.lru_cache(maxsize=8)
def _of_loaded(whole: bool, torch: bool, jax: bool) -> tuple[ProcessState, ...]:
    states = _of_each_call()
    if whole:
        exact = {state.name: state for state in _of_each_claim()}
        states = [exact.pop(state.name, state) for state in states] + list(exact.values())
    # A half-imported framework has no state yet.
    if torch and hasattr(_modules["torch"], "get_default_device"):
        states += _of_torch(_modules["torch"], whole)
    if jax and whole and hasattr(_modules["jax"], "config"):
        states += _of_jax(_modules["jax"])
    return tuple(states)
