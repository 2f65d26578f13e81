"""`same()`: whether two starts are one law, from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from initcheck.contract.contract import Contract
from initcheck.engine.checker import Checker, check_waivers
from initcheck.engine.settings import Settings
from initcheck.report.report import Report
from initcheck.targets.pairs import pair_of, words_of_pair


def same(
    a: Any,
    b: Any,
    *,
    seed: int = 0,
    profile: str = "default",
    layouts: Sequence[str] | None = None,
    world: int | None = None,
    name: str | None = None,
    waive: Mapping[str, str] | None = None,
    alpha: float = 1e-6,
    beta: float = 1e-3,
    timeout: float | None = None,
) -> Report:
    """Say whether two initializers, layers or models start from one law: SAME, DIFFERENT or UNDECIDED.

    >>> import initcheck, numpy as np
    >>> def he(shape, rng):
    ...     return rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
    >>> def lecun(shape, rng):
    ...     return rng.normal(0, np.sqrt(1 / np.prod(shape[1:])), shape)
    >>> report = initcheck.same(he, lecun, profile="quick")
    >>> print(report["start-from-one-law"].evidence.likely)
    B's weights are 0.71 times A's (variance 1/fan_in against 2/fan_in)
    >>> initcheck.same("initcheck.gallery:he_normal", he, profile="quick").ok
    True

    Args:
        a, b: target texts, functions of a shape, layer classes, or functions that build a model; of any frameworks.
        seed: of the run; every call's seed derives from it, the name, the shape and the number of the call.
        profile: how many shapes: ``quick``, ``default`` or ``thorough``.
        layouts: of the weights of A and of B, ``("in_out", "out_in")``, where they are not known.
        world: how many ranks hold a model whose factory has the parameters ``rank`` and ``world``; put together, their
            shards are compared with the other model.
        name: of the pair in the report.
        waive: claim id -> reason.
        alpha: bound on the probability that DIFFERENT is said of one law.
        beta: bound on the probability that SAME is said of two laws that differ by more than is tolerated.
        timeout: seconds after which what is left is UNDECIDED.

    Raises:
        UsageError: one of them is no target, or the two are of kinds that cannot be compared.
    """
    checker = Checker(Settings(seed=seed, profile=profile, alpha=alpha, beta=beta, timeout=timeout, kinds=("pair",)))
    words = words_of_pair(a, b, layouts, world) if isinstance(a, str) and isinstance(b, str) else ()
    contract = Contract(waive=dict(waive or {}))
    pair = pair_of(a, b, name=name, layouts=layouts, world=world, contract=contract, words=words)
    check_waivers(pair, pair.contract.waive)
    return checker.report([pair])
