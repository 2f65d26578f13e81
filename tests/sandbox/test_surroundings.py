"""Everything of a process that user code can change for others: named, put back, and never a reason to raise."""

from __future__ import annotations

import builtins
import ctypes
import json
import locale
import math
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from initcheck.sandbox import surroundings
from initcheck.sandbox.containment import contained
from initcheck.sandbox.surroundings import Surroundings, stuck

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def _nothing_stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(surroundings, "_stuck", set())
    directory = os.getcwd()
    yield
    os.chdir(directory)


def _rounds_upwards() -> None:
    ctypes.CDLL(None).fesetround(0x800 if os.uname().machine == "x86_64" else 0x400000)


CHANGES: dict[str, Callable[[], Any]] = {
    "np.errstate": lambda: np.seterr(all="raise"),
    "working directory": lambda: os.chdir("/"),
    "environment": lambda: os.environ.clear(),
    "umask": lambda: os.umask(0o123),
    "recursion limit": lambda: sys.setrecursionlimit(5_000),
    "digit limit": lambda: sys.set_int_max_str_digits(1_000),
    "NumPy print options": lambda: np.set_printoptions(precision=2),
    "sys.path": lambda: sys.path.clear(),
    "sys.modules": lambda: sys.modules.pop("json"),
    "exception hooks": lambda: setattr(sys, "excepthook", None),
    "import hooks": lambda: sys.meta_path.clear(),
    "functions of time": lambda: setattr(time, "perf_counter", lambda: 0.0),
    "signal handlers": lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN),
    "timers": lambda: signal.setitimer(signal.ITIMER_VIRTUAL, 1_000),
    "rounding mode": _rounds_upwards,
    "functions of builtins": lambda: setattr(builtins, "divmod", None),
    "functions of math": lambda: setattr(math, "erf", None),
    "functions of numpy": lambda: setattr(np, "sqrt", None),
    "functions of torch": lambda: setattr(torch, "erf", None),
    "torch default dtype": lambda: torch.set_default_dtype(torch.float64),
    "torch threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "torch grad mode": lambda: torch.set_grad_enabled(False),
    "torch deterministic algorithms": lambda: torch.use_deterministic_algorithms(True),
    "torch default device or function modes": lambda: torch.set_default_device("meta"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_is_named_and_put_back(name: str) -> None:
    before = Surroundings()
    CHANGES[name]()
    changed = before.put_back()
    # The choice of deterministic algorithms makes torch import what sets more.
    assert name in changed if "deterministic" in name else changed == (name,)
    assert Surroundings().put_back() == ()
    assert before.put_back() == ()
    assert stuck() == frozenset()


def test_the_locale_is_put_back() -> None:
    if locale.setlocale(locale.LC_ALL) == locale.setlocale(locale.LC_ALL, "C.UTF-8"):
        locale.setlocale(locale.LC_ALL, "C")
    before = Surroundings()
    was = locale.setlocale(locale.LC_ALL)
    locale.setlocale(locale.LC_ALL, "C" if was != "C" else "C.UTF-8")
    assert before.put_back() == ("locale",)
    assert locale.setlocale(locale.LC_ALL) == was


def test_jax_keeps_its_precision() -> None:
    jax = pytest.importorskip("jax")
    before = Surroundings()
    jax.config.update("jax_enable_x64", not jax.config.jax_enable_x64)
    assert before.put_back() == ("jax x64",)


def test_what_cannot_be_put_back_is_remembered_and_nothing_raises() -> None:
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    before = Surroundings()
    os.chdir("/")
    shutil.rmtree(folder)
    assert before.put_back() == ("working directory",)
    assert stuck() == {"working directory"}


def test_a_mode_that_no_call_ends_is_remembered() -> None:
    def inside() -> tuple[str, ...]:
        before = Surroundings()
        mode = torch.inference_mode()
        mode.__enter__()
        try:
            return before.put_back()
        finally:
            mode.__exit__(None, None, None)

    assert "torch inference mode" in inside()
    assert "torch inference mode" in stuck()


class _NeverEqual:
    def __eq__(self, other: object) -> bool:
        raise SystemExit(3)

    __hash__ = None  # type: ignore[assignment]


def test_what_was_put_in_a_functions_place_may_compare_as_it_likes() -> None:
    before = Surroundings()
    np.sqrt = _NeverEqual()  # type: ignore[assignment]
    assert before.put_back() == ("functions of numpy",)
    assert np.sqrt(4.0) == 2.0


def test_modules_that_come_are_no_change_and_those_that_go_are_put_back() -> None:
    before = Surroundings()
    sys.modules["initcheck_came"] = threading
    assert before.put_back() == ()
    del sys.modules["initcheck_came"]
    before = Surroundings()
    sys.modules.clear()
    assert "sys.modules" in before.put_back()
    assert sys.modules["threading"] is threading


def test_the_cheap_look_sees_what_nearly_all_code_reads() -> None:
    with contained(whole=False) as seen:
        builtins.divmod = None  # type: ignore[assignment]
        np.seterr(all="raise")
        os.umask(0o123)
    assert set(seen.changes) == {"functions of builtins", "np.errstate", "umask"}
    assert divmod(5, 2) == (2, 1)


AT_IMPORT: dict[str, Callable[[], Any]] = {
    "functions of builtins": lambda: setattr(builtins, "divmod", None),
    "functions of numpy": lambda: setattr(np, "sqrt", None),
    "functions of time": lambda: setattr(time, "perf_counter", lambda: 0.0),
    "functions of json": lambda: setattr(json, "dumps", None),
    "import hooks": lambda: (sys.path.clear(), sys.meta_path.clear()),
    "sys.modules": lambda: sys.modules.pop("json"),
    "recursion limit": lambda: sys.setrecursionlimit(60),
    "signal handlers": lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN),
    "umask": lambda: os.umask(0o123),
}


@pytest.mark.parametrize("name", AT_IMPORT)
def test_what_an_import_takes_from_all_other_code_is_named_and_put_back(name: str) -> None:
    with contained(put_back=False) as seen:
        AT_IMPORT[name]()
    assert seen.changes == (name,)
    with contained(put_back=False) as seen:
        pass
    assert seen.changes == ()


def test_what_an_import_may_set_for_its_own_functions_stays() -> None:
    limit, path, sine = sys.getrecursionlimit(), list(sys.path), torch.sin
    try:
        with contained(put_back=False) as seen:
            sys.setrecursionlimit(limit + 7)
            sys.path.insert(0, "/added")
            np.float_of_old = float  # type: ignore[attr-defined]
            torch.sin = torch.cos
            os.environ["INITCHECK_TEST"] = "1"
        assert seen.changes == ()
        assert sys.getrecursionlimit() == limit + 7
        assert sys.path[0] == "/added"
        assert np.float_of_old is float  # type: ignore[attr-defined]
        assert torch.sin is torch.cos
        assert os.environ["INITCHECK_TEST"] == "1"
    finally:
        sys.setrecursionlimit(limit)
        sys.path[:] = path
        del np.float_of_old  # type: ignore[attr-defined]
        torch.sin = sine
        del os.environ["INITCHECK_TEST"]
