"""Judging in other processes: a pool that shares the work, or a process for each initializer alone."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Protocol

from initcheck.errors import UsageError

if TYPE_CHECKING:
    from initcheck.contract.initializer import Initializer
    from initcheck.engine.checker import Checker, Settings
    from initcheck.report.verdict import Result
    from initcheck.runs.plan import Plan

__all__ = ["cap_threads", "families", "isolated", "judge_all", "recipe_of", "units_of"]

Unit = tuple["Initializer", tuple[str, ...]]


class Kept(Protocol):
    """What the processes of their own read of a run, and the contracts that they add to it."""

    checker: Checker
    contracts: dict[str, dict[str, Any]]


def judge_all(plan: Plan, *, jobs: int = 1, isolate: bool = False) -> Iterator[Result]:
    """Every verdict of a plan, as it is reached; the same verdicts wherever they are reached.

    Args:
        plan: what to run.
        jobs: number of processes.
        isolate: whether each initializer gets a process of its own.

    Raises:
        UsageError: an initializer that only this process has cannot be sent to another.
    """
    if isolate:
        yield from isolated(plan, list(plan.initializers), jobs)
    elif jobs > 1:
        yield from _pooled(plan, jobs)
    else:
        for initializer in plan.initializers:
            for claim_id in plan.checker.claim_ids:
                yield plan.judge(initializer, claim_id)


def recipe_of(initializer: Initializer) -> Mapping[str, Any]:
    """The plain data from which another process makes this initializer again.

    Raises:
        UsageError: there is none: a lambda, a closure.
    """
    if initializer.recipe is None:
        raise UsageError(
            f"{initializer.name} exists in this process only (a lambda or a closure), so it cannot be judged"
            f" in another: {_why_not_carried(initializer)} Or name it by a target text such as pkg.mod:attr."
        )
    return initializer.recipe


def _why_not_carried(initializer: Initializer) -> str:
    try:
        cloudpickle = importlib.import_module("cloudpickle")
    except ImportError:
        return "install cloudpickle, which carries such functions."
    try:
        cloudpickle.dumps(initializer.function)
    except Exception as error:  # whatever the function holds decides what is raised
        return f"cloudpickle cannot carry it ({type(error).__name__}: {error})."
    return "cloudpickle cannot carry it."


def cap_threads() -> None:
    """One BLAS thread a process of ours; before NumPy is imported there."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def units_of(initializers: Sequence[Initializer], claim_ids: tuple[str, ...], jobs: int) -> list[Unit]:
    """An initializer's claims share its draws, so they stay together unless processes would idle."""
    if len(initializers) >= jobs:
        return [(i, claim_ids) for i in initializers]
    return [(i, claims) for i in initializers for claims in families(claim_ids)]


def families(claim_ids: Sequence[str]) -> list[tuple[str, ...]]:
    """The same claims by family, in the order of each family's first."""
    from initcheck.claims.claim import find

    found: dict[str, list[str]] = {}
    for claim_id in claim_ids:
        found.setdefault(find(claim_id).family, []).append(claim_id)
    return [tuple(claims) for claims in found.values()]


def _pooled(plan: Plan, jobs: int) -> Iterator[Result]:
    from initcheck.report.report import result_from_plain

    units = units_of(plan.initializers, plan.checker.claim_ids, jobs)
    recipes = {i.name: recipe_of(i) for i in plan.initializers}
    lost: list[Unit] = []
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=cap_threads) as pool:
        waiting = {}
        for unit in units:
            try:
                future = pool.submit(judge_unit, plan.checker.settings, recipes[unit[0].name], unit[1])
            except BrokenProcessPool:
                lost.append(unit)
            else:
                waiting[future] = unit
        for future in as_completed(waiting):
            try:
                results, contracts = future.result()
            except BrokenProcessPool:
                lost.append(waiting[future])
                continue
            plan.contracts.update(contracts)
            yield from map(result_from_plain, results)
    # A process died and took the pool with it. Who killed it shows where each is alone.
    for initializer in plan.initializers:
        again = {claim_id for i, claims in lost if i is initializer for claim_id in claims}
        if again:
            yield from isolated(plan, [initializer], 1, tuple(c for c in plan.checker.claim_ids if c in again))


def judge_unit(
    settings: Settings, recipe: Mapping[str, Any], claim_ids: Sequence[str]
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """Judge some claims of one initializer in a process of a pool; plain data in and out."""
    from initcheck.engine.broken_claim import contained
    from initcheck.engine.checker import Checker
    from initcheck.report.report import result_to_plain
    from initcheck.runs.plan import contract_of
    from initcheck.targets.loading import rebuild

    checker = Checker(settings)
    initializer = rebuild(recipe)
    results = [result_to_plain(contained(checker.judge, initializer, claim_id)) for claim_id in claim_ids]
    return results, contract_of(checker, initializer)


def isolated(
    plan: Kept, initializers: Sequence[Initializer], jobs: int, claim_ids: tuple[str, ...] | None = None
) -> Iterator[Result]:
    """Verdicts, each initializer's in a process of its own; its death is a verdict on that one."""
    from concurrent.futures import ThreadPoolExecutor

    from initcheck.runs.own_process import Isolated

    def alone(initializer: Initializer) -> list[Result]:
        with Isolated(plan) as own:
            return [own.judge(initializer, c) for c in claim_ids or plan.checker.claim_ids]

    if jobs == 1:
        with Isolated(plan) as own:
            for initializer in initializers:
                for claim_id in claim_ids or plan.checker.claim_ids:
                    yield own.judge(initializer, claim_id)
        return
    with ThreadPoolExecutor(jobs) as threads:
        for future in as_completed([threads.submit(alone, i) for i in initializers]):
            yield from future.result()
