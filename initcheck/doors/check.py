"""`check()`: the claims asked of an initializer from Python."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from initcheck.contract.contract import Contract
from initcheck.contract.declaration import declared_contract
from initcheck.engine.broken_claim import judged_or_broken
from initcheck.engine.checker import Checker
from initcheck.engine.settings import Settings
from initcheck.errors import UnreadableTarget, UsageError
from initcheck.report.report import Report
from initcheck.report.results import NotChecked
from initcheck.report.verdict import Result
from initcheck.runs.executor import Spread, require_executor
from initcheck.runs.plan import Plan
from initcheck.runs.reading import Wanted
from initcheck.targets.loading import load, name_of, told_apart

Told = Callable[[Result], object]


def check(
    target: Any,
    *,
    contract: Contract | dict[str, Any] | str | None = None,
    claims: Sequence[str] | None = None,
    seed: int = 0,
    profile: str = "default",
    signature: str | None = None,
    args: dict[str, Any] | None = None,
    parameter: str | None = None,
    waive: Mapping[str, str] | None = None,
    timeout: float | None = None,
    isolate: bool = False,
    executor: Executor | None = None,
    on_result: Told | None = None,
) -> Report:
    """Check an initializer, or several, against the claims.

    >>> import initcheck
    >>> report = initcheck.check("initcheck.gallery:zeros", claims=["units-differ"])
    >>> report.ok, report["units-differ"].verdict.value
    (False, 'FAILS')

    Args:
        target: a target text (``myinit``, ``pkg.mod:attr``), or the initializer itself; or a list of these.
        contract: what it promises; else its own ``__initcheck__``, else what is known or inferred.
        claims: claim ids; every claim asked by default where None.
        seed: the run seed.
        profile: ``quick``, ``default`` or ``thorough``.
        signature: how to call it, such as ``"(shape, rng)"``, where it cannot be read.
        args: fixed keyword arguments.
        parameter: which of several returned arrays is meant.
        waive: claim id -> why it may fail; beside what the contract waives.
        timeout: seconds a claim may take. It is read and judged in another process then, where a call that does not
            return is ended too. What cannot travel there, a lambda or a closure where cloudpickle is not installed, is
            judged in this process, with a warning: its clock is looked at between two calls, and a call that hangs
            is not ended.
        isolate: whether each is read and judged in a process of its own, so that a crash is a verdict on one alone.
        executor: where to judge: a ``ProcessPoolExecutor``, Dask's ``client.get_executor()``. The verdicts are the same
            everywhere, bit for bit, and the executor is not shut down.
        on_result: called with each ``Result`` as it is reached; with those of an executor when all are.

    Raises:
        UsageError: an unknown target, claim, profile or contract value; one of several targets that shows nothing to
            check; a signature that cannot be read; an executor of threads; a function that cannot be sent to another
            process.
    """
    if executor is not None:
        require_executor(executor)
        if isolate:
            raise UsageError("isolate= and executor= both say where to judge; give one of them.")
    settings = Settings(seed=seed, profile=profile, claims=claims, timeout=timeout)
    declared = declared_contract(contract)
    if waive:
        declared = dataclasses.replace(declared, waive={**declared.waive, **waive})
    target = os.fspath(target) if isinstance(target, os.PathLike) else target
    targets = list(target) if isinstance(target, (list, tuple, set, frozenset)) else [target]
    if not targets:
        raise UsageError("target= is an empty list, so there is nothing to check.")
    tell = on_result or (lambda result: None)
    said: dict[str, Any] = {"signature": signature, "args": args, "parameter": parameter}
    if executor is None and (isolate or timeout is not None):
        wanted = [Wanted.of(one, **said) for one in targets]
        here = [one for one, sent in zip(targets, wanted, strict=True) if sent is None]
        if not here:
            return _elsewhere(filter(None, wanted), settings, declared, isolate=isolate, tell=tell)
        _refuse_or_warn(here, isolate=isolate)
    checker = Checker(settings)
    loaded = told_apart(load(one, contract=declared, **said) for one in targets)
    _refuse_unread(loaded.not_checked)
    contracts: dict[str, dict[str, Any]] = {}
    results: list[Result] = []
    if executor is None:
        for initializer in loaded.initializers:
            for claim_id in checker.claims_of(initializer):
                results.append(judged_or_broken(checker, initializer, claim_id))
                tell(results[-1])
            # Now, while the engine still has this one's inference at hand.
            contracts[initializer.name] = checker.held_to(initializer)
    else:
        spread = Spread(checker, loaded.initializers)
        results, contracts = spread.results(executor), spread.contracts
        for result in results:
            tell(result)
    return checker.report(loaded.initializers, loaded.not_checked, results, contracts)


def _elsewhere(
    wanted: Iterable[Wanted], settings: Settings, declared: Contract, *, isolate: bool, tell: Told
) -> Report:
    """Read and judge in a process beside this one, which is ended where a call in it does not return."""
    plan = Plan(wanted, settings, contract=declared, isolate=isolate)
    results = []
    try:
        _refuse_unread(plan.not_checked)
        for initializer in plan.initializers:
            for claim_id in plan.checker.claims_of(initializer):
                results.append(plan.judge(initializer, claim_id))
                tell(results[-1])
    finally:
        plan.close()
    return plan.report(results)


def _refuse_unread(not_checked: Iterable[NotChecked]) -> None:
    for left in not_checked:
        if left.needed:  # said at once, not after the others were judged
            raise UnreadableTarget(f"target {left.name!r}: {left.reason.removeprefix(f'{left.name}, ')}")


def _refuse_or_warn(here: Sequence[Any], *, isolate: bool) -> None:
    names = ", ".join(one if isinstance(one, str) else getattr(one, "name", None) or name_of(one) for one in here)
    why = (
        f"{names} cannot leave this process: it is no importable function, and cloudpickle, which carries a lambda or"
        " a closure, is not installed or cannot carry it"
    )
    if isolate:
        raise UsageError(f"isolate=True: {why}. Name it by a target text such as pkg.mod:attr.")
    warnings.warn(f"timeout=: {why}; a call that does not return is not ended.", RuntimeWarning, stacklevel=3)
