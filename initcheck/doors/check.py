"""`check()`: the claims asked of an initializer from Python."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

from initcheck.contract.contract import Contract
from initcheck.engine.checker import Checker
from initcheck.engine.settings import Settings
from initcheck.report.report import Report
from initcheck.runs.executor import Spread, require_executor
from initcheck.targets.loading import load

__all__ = ["check"]


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
    timeout: float | None = None,
    executor: Executor | None = None,
) -> Report:
    """Check an initializer against the claims.

    >>> import initcheck
    >>> report = initcheck.check("initcheck.gallery:zeros", claims=["units-differ"])
    >>> report.ok, report["units-differ"].verdict.value
    (False, 'FAILS')

    Args:
        target: a target text (``myinit``, ``pkg.mod:attr``), or the initializer itself.
        contract: what it promises; else its own ``__initcheck__``, else what is known or inferred.
        claims: claim ids; every claim asked by default where None.
        seed: the run seed.
        profile: ``quick``, ``default`` or ``thorough``.
        signature: how to call it, such as ``"(shape, rng)"``, where it cannot be read.
        args: fixed keyword arguments.
        parameter: which of several returned arrays is meant.
        timeout: seconds a claim may take.
        executor: where to judge: a ``ProcessPoolExecutor``, Dask's ``client.get_executor()``; in this process where
            None. The verdicts are the same, bit for bit, and the executor is not shut down.

    Raises:
        UsageError: an unknown target, claim, profile or contract value; a signature that cannot be read; an executor
            of threads; a function that cannot be sent to another process.
    """
    if executor is not None:
        require_executor(executor)
    checker = Checker(
        Settings(seed=seed, profile=profile, claims=tuple(claims) if claims is not None else None, timeout=timeout)
    )
    loaded = load(target, contract=contract, signature=signature, args=args, parameter=parameter)
    if executor is None:
        return checker.report(loaded.initializers, loaded.not_checked)
    spread = Spread(checker, loaded.initializers)
    results = spread.results(executor)
    return checker.report(loaded.initializers, loaded.not_checked, results, spread.contracts)
