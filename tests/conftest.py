"""What every test needs before a framework is imported."""

from __future__ import annotations

import gc
import importlib.util
import os
import re
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

# Keras takes its backend when it is first imported; JAX is the one that starts fast and needs no TensorFlow.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# One BLAS thread: the tests' matrices are small, and other processes run beside them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import settings

# What one test finds must not be what another tries first.
settings.register_profile("tests", settings.default, database=None)
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def _numpy_errors_as_they_were() -> Iterator[None]:
    """Specimens that call ``np.seterr`` must not decide how the next test's NumPy behaves."""
    with np.errstate():
        yield


@pytest.fixture(autouse=True)
def _no_cache_of_the_user(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last run is kept among the user's caches: tests keep it in a folder of their own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(autouse=True)
def _modules_of_this_test_only() -> Iterator[None]:
    """A module that a test writes and imports, such as ``myinit``, must not be the next test's module of that name."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if "pytest-of-" in str(getattr(sys.modules[name], "__file__", None) or ""):
            del sys.modules[name]


@pytest.fixture
def on_fake_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An engine whose verdicts are written in the target's text; in a folder of its own."""
    import fake_engine

    fake_engine.install(monkeypatch.setattr)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))


# CPU seconds of a fast test and of its processes: two on an idle machine, four times that on a slow, shared one.
MOST = 8.0
LONG = Path(__file__).parent / "long"


class Collections:
    """CPU seconds of full collections, with those of processes that a collection ended."""

    def __init__(self) -> None:
        self.seconds = self.started = 0.0
        gc.callbacks.append(self)

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if info["generation"] == 2 and phase == "start":
            self.started = sum(os.times()[:4])
        elif info["generation"] == 2:
            self.seconds += sum(os.times()[:4]) - self.started


COLLECTED = Collections()
FRAMEWORKS = ("torch", "jax", "keras", "flax", "equinox")
# One interpreter of tox carries them; ml_dtypes comes with JAX.
ABSENT = {name for name in (*FRAMEWORKS, "ml_dtypes") if importlib.util.find_spec(name) is None}


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A file of tests that imports a framework which is not installed is skipped."""
    report = yield
    missing = re.search(r"ModuleNotFoundError: No module named '(\w+)[\w.]*'\s*\Z", str(report.longrepr or ""))
    if report.outcome == "failed" and missing and missing[1] in ABSENT:
        report.outcome = "skipped"
        report.longrepr = (str(collector.path), 0, f"Skipped: {missing[1]} is not installed")
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What lies under tests/long is long by its place."""
    for item in items:
        if LONG in item.path.parents:
            item.add_marker("long")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test of the fast part that takes too long; where all of them go, tests/README.md says."""
    loaded = [f for f in FRAMEWORKS if f in sys.modules]
    before, collected = sum(os.times()[:4]), COLLECTED.seconds
    yield
    # What earlier tests have left is collected in the one that happens to be running.
    spent = sum(os.times()[:4]) - before - (COLLECTED.seconds - collected)
    if log := os.environ.get("INITCHECK_TEST_SECONDS"):
        with open(log, "a") as file:
            file.write(f"{spent:.3f} {item.nodeid}\n")
    fast = item.get_closest_marker("long") is None and "benchmarks" not in item.path.parts
    # The first test that needs a framework pays for its import.
    if fast and spent > MOST and loaded == [f for f in FRAMEWORKS if f in sys.modules]:
        pytest.fail(f"a fast test took {spent:.1f} CPU seconds; make it faster or move it to tests/long", pytrace=False)
