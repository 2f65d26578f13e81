"""A change is proposed only where a copy that has it keeps every claim that failed, and breaks none that held."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.claims.registry import find
from initcheck.contract.initializer import Initializer
from initcheck.diagnosis.observed import Observed
from initcheck.engine.checker import Checker
from initcheck.engine.settings import Settings
from initcheck.engine.subject import InitializerSubject
from initcheck.repairs.candidates import candidates
from initcheck.repairs.repair import Repair, repaired
from initcheck.report.verdict import Result, Verdict

__all__ = ["Proposal", "proposal_for"]

_SHAPES = ((64, 64), (32, 128), (128, 32), (7, 96))


@dataclass(frozen=True)
class Proposal:
    """What to change in one initializer, and how it was proven.

    Attributes:
        name: the initializer.
        failing: the claims that fail, with what was measured.
        repair: the change; None where none was found, or nothing fails.
        proven: the claims that failed and hold of the copy.
        kept: how many other claims were asked of the copy, of which none fails.
        tried: the changes that were applied and judged, and why each was not enough.
    """

    name: str
    failing: tuple[tuple[str, str], ...]
    repair: Repair | None
    proven: tuple[str, ...] = ()
    kept: int = 0
    tried: tuple[tuple[str, str], ...] = ()


def proposal_for(
    initializer: Initializer, *, seed: int = 0, profile: str = "quick", claims: Sequence[str] | None = None
) -> Proposal:
    """Judge an initializer; where claims fail, find the smallest change that makes them hold.

    A change is applied to a copy that is held to the same contract and judged by the same claims at the same error
    rates; it counts where every claim that failed HOLDS and no other claim FAILS.

    Args:
        initializer: of shapes, not of a layer.
        seed: of the run.
        profile: its budget.
        claims: ids of those to ask; all of them where None.
    """
    checker = Checker(Settings(seed=seed, profile=profile, claims=tuple(claims) if claims is not None else None))
    results = {claim: checker.judge(initializer, claim) for claim in checker.claims_of(initializer)}
    failed = {claim: r for claim, r in results.items() if r.verdict is Verdict.FAILS}
    failing = tuple((claim, _measured(r)) for claim, r in failed.items())
    if not failed:
        return Proposal(initializer.name, (), None)
    subject = checker.subject(initializer)
    assert isinstance(subject, InitializerSubject)
    contract = subject.contract
    seen = Observed(draw=_drawing(initializer), contract=contract, topic="scale", seed=seed)
    tried: list[tuple[str, str]] = []
    for repair in candidates(seen, [find(c).topic for c in failed]):
        copy = repaired(initializer, repair, contract)
        why = _unpromising(copy)
        if why is None:
            fresh = Checker(dataclasses.replace(checker.settings))
            why = _first_that_does_not_hold(fresh, copy, failed)
            if why is None:
                others = [c for c in results if c not in failed]
                broken = [c for c in others if _fails(fresh.judge(copy, c))]
                if not broken:
                    return Proposal(initializer.name, failing, repair, tuple(failed), len(others), tuple(tried))
                why = f"then {broken[0]} fails"
        tried.append((repair.code, why))
    return Proposal(initializer.name, failing, None, tried=tuple(tried))


def _first_that_does_not_hold(checker: Checker, copy: Initializer, failed: dict[str, Result]) -> str | None:
    for claim in failed:
        result = checker.judge(copy, claim)
        if result.verdict is not Verdict.HOLDS:
            return f"{claim} is then {result.verdict.value}: {_measured(result)}"
    return None


def _fails(result: Result) -> bool:
    return result.verdict not in (Verdict.HOLDS, Verdict.UNDECIDED, Verdict.NOT_APPLICABLE)


def _measured(result: Result) -> str:
    return result.evidence.measured or result.reason or ""


def _drawing(initializer: Initializer) -> Any:
    sampler = initializer.sampler

    def draw(shape: tuple[int, ...], seed: int) -> npt.NDArray[Any]:
        return np.asarray(sampler.to_numpy(sampler.calls(shape, [seed], "float32")[0]), dtype=np.float64)

    return draw


def _unpromising(copy: Initializer) -> str | None:
    """Why a copy need not be judged: it raises, or gives what is no finite array of the shape."""
    try:
        shape = _SHAPES[0] if not copy.ranks or 2 in copy.ranks else None
        if shape is None:
            return None
        [weights] = copy.sampler.calls(shape, [0], copy.contract.dtypes[0])
    except Exception as error:  # whatever the user's code raises, in a change that was only tried
        return f"it raises {type(error).__name__}: {error}"
    return None if np.isfinite(np.asarray(weights, dtype=np.float64)).all() else "weights are then not finite"
