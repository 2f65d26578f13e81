"""Judging through anybody's `concurrent.futures.Executor`: a process pool, Dask's, MPI's, Ray's."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

from initcheck.contract.tested import Tested
from initcheck.engine.checker import Checker
from initcheck.errors import UsageError
from initcheck.report.verdict import Result
from initcheck.runs.own_process import OwnProcess
from initcheck.runs.units import Unit, UnitOutcome, judge, units_of
from initcheck.safe_text import escaped
from initcheck.sandbox.containment import one_line

# Workers that are assumed where an executor does not say how many it has.
_MANY = 16


def require_executor(executor: Any) -> Executor:
    """The executor, if units can be judged through it.

    >>> from concurrent.futures import ProcessPoolExecutor
    >>> with ProcessPoolExecutor(1) as pool:
    ...     require_executor(pool) is pool
    True

    Raises:
        UsageError: it is none, or its workers are threads of this process.
    """
    if isinstance(executor, ThreadPoolExecutor):
        raise UsageError(
            f"executor={type(executor).__name__}() runs threads of this process, which share the global generators"
            " that each initializer is watched on, so they could only take turns; give one of processes, such as"
            " concurrent.futures.ProcessPoolExecutor(), or none."
        )
    if not isinstance(executor, Executor):
        hint = "its .get_executor()" if hasattr(executor, "get_executor") else "a ProcessPoolExecutor()"
        raise UsageError(
            f"executor= is an object of type {type(executor).__name__}, which is no concurrent.futures.Executor;"
            f" give {hint}."
        )
    return executor


class Spread:
    """A run whose units are judged elsewhere.

    A unit is one initializer and one family of claims; where there are initializers enough for every worker, it is
    one initializer and all claims, which share its draws.

    Args:
        checker: how the run is made.
        initializers: what to judge.

    Attributes:
        contracts: initializer's name -> what it was held to, filled as results come.

    Raises:
        UsageError: an initializer cannot leave this process.
    """

    def __init__(self, checker: Checker, initializers: Sequence[Tested]) -> None:
        self.checker = checker
        self.initializers = initializers
        self.contracts: dict[str, dict[str, Any]] = {}
        self._run = os.urandom(8).hex()
        for initializer in initializers:
            # Before anything is submitted: what cannot travel is said at once.
            Unit.of(initializer, checker.settings, ())

    def results(self, executor: Executor) -> list[Result]:
        """Every verdict, initializer by initializer in the order of the claims; the same ones as in this process.

        A unit whose worker was killed is judged once more, in a process of its own on this machine. The executor is
        not shut down, and nothing is left waiting in it.

        Raises:
            UsageError: a worker cannot make the initializer again, or a waiver names no claim.
        """
        workers = getattr(executor, "_max_workers", None) or _MANY
        shares = units_of(self.checker, self.initializers, workers)
        futures: list[Future[UnitOutcome] | BaseException] = []
        found: dict[tuple[str, str], Result] = {}
        lost: dict[str, BaseException] = {}
        try:
            for initializer, claim_ids in shares:
                futures.append(self._submitted(executor, initializer, claim_ids))
            for (initializer, _), future in zip(shares, futures, strict=True):
                try:
                    if isinstance(future, BaseException):
                        raise future
                    judged = future.result()
                except UsageError:
                    raise
                except Exception as error:  # each executor has its own name for a dead worker
                    lost[initializer.name] = error
                    continue
                self.contracts[initializer.name] = judged.held_to
                found |= {(initializer.name, r.claim): r for r in judged.of(initializer)}
        finally:
            for future in futures:
                if isinstance(future, Future):
                    future.cancel()
        with OwnProcess(self.checker.settings, self.contracts) as own:
            for initializer in self.initializers:
                if initializer.name in lost:
                    _warn(initializer, lost[initializer.name])
                    again = [c for c in self.checker.claims_of(initializer) if (initializer.name, c) not in found]
                    found |= {(initializer.name, c): own.judge(initializer, c) for c in again}
        return [found[i.name, c] for i in self.initializers for c in self.checker.claims_of(i)]

    def _submitted(
        self, executor: Executor, initializer: Tested, claim_ids: Sequence[str]
    ) -> Future[UnitOutcome] | BaseException:
        try:
            return executor.submit(judge, Unit.of(initializer, self.checker.settings, claim_ids, self._run))
        except Exception as error:  # a pool that broke while units were still being submitted
            return error


def _warn(initializer: Tested, error: BaseException) -> None:
    warnings.warn(
        f"the executor lost claims of {escaped(initializer.name)} ({escaped(one_line(error))}); they are judged again"
        " in a process of this machine.",
        RuntimeWarning,
        stacklevel=4,
    )
