"""Judging through anybody's `concurrent.futures.Executor`: a process pool, Dask's, MPI's, Ray's."""

from __future__ import annotations

import functools
import os
import pickle
import threading
import warnings
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from initcheck.errors import UsageError
from initcheck.runs.pool import isolated, recipe_of, units_of

if TYPE_CHECKING:
    from initcheck.contract.initializer import Initializer
    from initcheck.engine.checker import Checker, Settings
    from initcheck.report.verdict import Result

__all__ = ["Spread", "judge_unit", "require_executor"]

Plain = tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]

# Users' code runs with the global generators, the warnings and the output of its process redirected, so that units
# in two threads of one process (a Dask worker has several) would see each other's.
_one_unit_at_a_time = threading.Lock()

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

    def __init__(self, checker: Checker, initializers: Sequence[Initializer]) -> None:
        self.checker = checker
        self.initializers = initializers
        self.contracts: dict[str, dict[str, Any]] = {}
        # Once, and before anything is submitted: what cannot travel is said at once.
        self._recipes = {i.name: pickle.dumps(dict(recipe_of(i))) for i in initializers}

    def results(self, executor: Executor) -> list[Result]:
        """Every verdict, initializer by initializer in the order of the claims; the same ones as in this process.

        A unit whose worker was killed is judged once more, in a process of its own on this machine. The executor is
        not shut down, and nothing is left waiting in it.

        Raises:
            UsageError: a worker cannot make the initializer again, or a waiver names no claim.
        """
        from initcheck.report.report import result_from_plain

        workers = getattr(executor, "_max_workers", None) or _MANY
        units = units_of(self.initializers, self.checker.claim_ids, workers)
        run = os.urandom(8)
        found: dict[tuple[str, str], Result] = {}
        lost: dict[str, BaseException] = {}
        futures: list[Future[Plain] | BaseException] = []
        try:
            for initializer, claim_ids in units:
                futures.append(self._submitted(executor, run, initializer, claim_ids))
            for (initializer, _), future in zip(units, futures, strict=True):
                try:
                    if isinstance(future, BaseException):
                        raise future
                    plain, contracts = future.result()
                except UsageError:
                    raise
                except Exception as error:  # each executor has its own name for a dead worker
                    lost[initializer.name] = error
                    continue
                self.contracts.update(contracts)
                # A pickled function may have lost its file: where it stands is known here.
                judged = [replace(result_from_plain(r), location=initializer.location) for r in plain]
                found |= {(initializer.name, r.claim): r for r in judged}
        finally:
            for future in futures:
                if isinstance(future, Future):
                    future.cancel()
        for initializer in self.initializers:
            if initializer.name in lost:
                _warn(initializer, lost[initializer.name])
                again = tuple(c for c in self.checker.claim_ids if (initializer.name, c) not in found)
                found |= {(initializer.name, r.claim): r for r in isolated(self, [initializer], 1, again)}
        return [found[i.name, c] for i in self.initializers for c in self.checker.claim_ids]

    def _submitted(
        self, executor: Executor, run: bytes, initializer: Initializer, claim_ids: tuple[str, ...]
    ) -> Future[Plain] | BaseException:
        recipe = self._recipes[initializer.name]
        try:
            return executor.submit(judge_unit, run, self.checker.settings, recipe, claim_ids)
        except Exception as error:  # a pool that broke while units were still being submitted
            return error


def judge_unit(run: bytes, settings: Settings, recipe: bytes, claim_ids: Sequence[str]) -> Plain:
    """Judge some claims of one initializer wherever this is called; plain data in and out.

    Args:
        run: tells this run from the next, which must not be given this one's answers.
        settings: how the run is made; every seed derives from them.
        recipe: the pickled ``Initializer.recipe``.
        claim_ids: the claims.

    Raises:
        UsageError: the initializer cannot be made here.
    """
    from initcheck.engine.broken_claim import contained
    from initcheck.report.report import result_to_plain
    from initcheck.runs.plan import contract_of

    with _one_unit_at_a_time:
        checker, initializer = _prepared(run, settings, recipe)
        results = [result_to_plain(contained(checker.judge, initializer, claim_id)) for claim_id in claim_ids]
        return results, contract_of(checker, initializer)


@functools.lru_cache(maxsize=1)
def _prepared(run: bytes, settings: Settings, recipe: bytes) -> tuple[Checker, Initializer]:
    """The last initializer judged here, with what was drawn of it: its next family of claims reads the same draws."""
    from initcheck.engine.checker import Checker
    from initcheck.targets.loading import rebuild

    return Checker(settings), rebuild(pickle.loads(recipe))


def _warn(initializer: Initializer, error: BaseException) -> None:
    from initcheck.report.account import escaped
    from initcheck.sandbox.containment import one_line

    warnings.warn(
        f"the executor lost claims of {escaped(initializer.name)} ({escaped(one_line(error))}); they are judged again"
        " in a process of this machine.",
        RuntimeWarning,
        stacklevel=4,
    )
