"""`check(executor=)`: the same verdicts bit for bit wherever they are reached, and a death costs one unit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import initcheck
from initcheck.report.verdict import Result, Verdict

Array = np.ndarray[Any, Any]
CONTRACT = {"activation": "relu", "fan": "fan_in", "layout": "out_in", "distribution": "normal"}
FEW = ["accepts-every-shape", "finite", "zero-mean", "output-variance-near-one"]


def he(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    return rng.normal(0, np.sqrt(2 / shape[1]), shape)


def biased(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    return he(shape, rng) + 0.01


def kills_a_worker_once(shape: tuple[int, ...], rng: np.random.Generator, mark: str = "") -> Array:
    if parent_process() is not None and not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return he(shape, rng)


def kills(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    if max(shape) > 16:
        os.kill(os.getpid(), signal.SIGKILL)
    return he(shape, rng)


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        yield executor


def timeless(report: initcheck.Report) -> dict[str, Any]:
    plain = replace(report, results=tuple(replace(r, seconds=0.0) for r in report)).to_dict()
    assert len(plain["results"]) == len(report)
    return plain


def same(target: Any, executor: Executor, **options: Any) -> list[Result]:
    """Check here and there, compare all but the seconds, and give the verdicts."""
    options = {"contract": CONTRACT, "profile": "quick", **options}
    here = initcheck.check(target, **options)
    there = initcheck.check(target, executor=executor, **options)
    assert timeless(there) == timeless(here)
    assert there.results == tuple(replace(r, seconds=t.seconds) for r, t in zip(here, there, strict=True))
    return list(there)


@pytest.mark.parametrize("function", [he, biased])
def test_spawned_processes_give_the_verdicts_of_this_one(function: Any, pool: ProcessPoolExecutor) -> None:
    verdicts = {r.verdict for r in same(function, pool)}
    assert (Verdict.FAILS in verdicts) == (function is biased)
    assert pool.submit(os.getpid).result() != os.getpid()  # the user's pool was not shut down


def test_lambdas_and_closures_travel(pool: ProcessPoolExecutor) -> None:
    pytest.importorskip("cloudpickle")
    gain = 2.0
    results = same(lambda shape, rng: rng.normal(0, np.sqrt(gain / shape[1]), shape), pool, claims=FEW)
    assert {r.verdict for r in results} == {Verdict.HOLDS}


MODULE = """
def lecun(shape, rng):
    return rng.normal(0, shape[1] ** -0.5, shape)


def glorot(shape, rng):
    return rng.normal(0, (2 / sum(shape)) ** 0.5, shape)
"""


def test_inferred_contracts_and_whole_modules_travel(
    pool: ProcessPoolExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "travelling.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    assert len(same("travelling", pool, contract=None, claims=FEW)) == 2 * len(FEW)
    [loaded] = initcheck.load(he).initializers
    same(loaded, pool, claims=FEW, contract={**CONTRACT, "waive": {"finite": "unsure"}})


class Nowhere(Executor):
    """An executor that counts what it is given, and loses it."""

    def __init__(self) -> None:
        self.submitted = 0

    def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
        self.submitted += 1
        raise RuntimeError("lost")


@pytest.mark.parametrize("installed", [True, False])
def test_what_cannot_travel_is_refused_before_anything_is_submitted(
    installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installed:
        monkeypatch.setitem(sys.modules, "cloudpickle", None)
    lock = threading.Lock()

    def guarded(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        with lock:
            return he(shape, rng)

    nowhere = Nowhere()
    expected = r"cloudpickle cannot carry it \(TypeError: cannot pickle" if installed else "install cloudpickle"
    with pytest.raises(initcheck.UsageError, match=expected):
        initcheck.check(guarded, contract=CONTRACT, executor=nowhere)
    assert nowhere.submitted == 0


def test_threads_and_what_is_no_executor_are_refused_in_a_sentence() -> None:
    with ThreadPoolExecutor(2) as threads, pytest.raises(initcheck.UsageError, match="runs threads of this process"):
        initcheck.check(he, contract=CONTRACT, executor=threads)
    with pytest.raises(initcheck.UsageError, match="of type int, which is no"):
        initcheck.check(he, contract=CONTRACT, executor=2)  # type: ignore[arg-type]


def test_an_executor_that_loses_everything_costs_no_verdict() -> None:
    with pytest.warns(RuntimeWarning, match=r"lost claims of .*he \(RuntimeError: lost\)"):
        same(he, Nowhere(), claims=FEW)


def test_a_worker_killed_in_the_middle_costs_one_unit_which_is_run_again(tmp_path: Path) -> None:
    args = {"mark": str(tmp_path / "mark")}
    with (
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as fragile,
        pytest.warns(RuntimeWarning, match="BrokenProcessPool"),
    ):
        same(kills_a_worker_once, fragile, args=args, claims=FEW)
    assert (tmp_path / "mark").exists()


def test_a_function_that_kills_every_worker_is_a_verdict() -> None:
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fragile,
        pytest.warns(RuntimeWarning, match="BrokenProcessPool"),
    ):
        report = initcheck.check(kills, contract=CONTRACT, claims=FEW, profile="quick", executor=fragile)
    assert [r.verdict for r in report] == [Verdict.FAILS, *[Verdict.NOT_APPLICABLE] * 3]
    assert "SIGKILL" in str(report["accepts-every-shape"].evidence.measured)


FORKED = """
import warnings
warnings.simplefilter("ignore")
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
import initcheck
options = dict(claims=["same-seed-same-weights", "finite"], profile="quick")
here = initcheck.check("initcheck.gallery:he_normal", **options)
with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
    there = initcheck.check("initcheck.gallery:he_normal", executor=pool, **options)
print([(r.claim, r.verdict.value, r.evidence) for r in here] == [(r.claim, r.verdict.value, r.evidence) for r in there])
"""


def test_forked_workers_do_not_answer_on_the_pipes_of_their_parent() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["True"]


def test_two_dask_workers_give_the_verdicts_of_this_process_and_one_of_them_may_die(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    args = {"mark": str(tmp_path / "mark")}
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=2, processes=True, host="127.0.0.1", dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        executor = client.get_executor()
        same(he, executor)
        same(kills_a_worker_once, executor, args=args, claims=FEW)
        assert (tmp_path / "mark").exists()
        with pytest.raises(initcheck.UsageError, match=r"give its \.get_executor\(\)"):
            initcheck.check(he, contract=CONTRACT, executor=client)
        assert executor.submit(os.getpid).result() != os.getpid()
