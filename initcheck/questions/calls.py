"""Whether calls are independent: equal results, too few distinct ones, and correlation from call to call."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.contract.layer import Layer
from initcheck.draws.draws import digest
from initcheck.engine.trial import Stage, Trial
from initcheck.statistics import Decision, Judgement, average_log_e, betting_log_e, calls_log_e

__all__ = ["calls_are_distinct", "calls_do_not_correlate"]

Array = npt.NDArray[np.float64]

_GENERATORS = 48
# A correlation below this is not asked about; above 0.1 it fails, and HOLDS says that it is below 0.2.
_EXCLUDED = 0.2
_BATCH = 24


@dataclass(frozen=True)
class _Batch:
    """Two calls on each of some generators, or on consecutive seeds where no generator can be shared."""

    first: list[npt.NDArray[np.generic]]
    second: list[npt.NDArray[np.generic]]


def calls_are_distinct(trial: Trial, layer: Layer) -> None:
    """Ask whether 96 calls, two on each of 48 generators, give 96 different results.

    One coincidence is a reason to look again; two among 96 fresh calls fail. A right initializer of 64 continuous
    weights has none in the lifetime of the universe.

    Raises:
        CaseFailed: two coincidences among 96 calls never looked at.
    """
    found = _coincidences(trial, layer, "pairs")
    if found:
        found = _coincidences(trial, layer, "pairs confirm")
        trial.ledger.next_confirmation()
    shown: dict[str, object] = {
        "measured": f"{2 * _GENERATORS - found} distinct results in {2 * _GENERATORS} calls",
        "allowed": "all distinct",
        "calls": 2 * _GENERATORS,
    }
    trial.fail(layer, **shown) if found >= 2 else trial.holds(layer, **shown)


def calls_do_not_correlate(trial: Trial, layer: Layer) -> None:
    """Ask whether a second call on a generator, or on the next seed, tells of the first.

    r = corr(X1 - X2, Y1 - Y2) over two generators, on w and on |w|, is symmetric about 0 under independence,
    whatever the law, the means or the dependence inside a call; betting on |r| > 0.1 in both directions.

    Raises:
        CaseFailed: a correlation beyond 0.1 is shown.
    """

    def test(stage: Stage) -> Judgement:
        most = 96 if not stage.confirms else 384
        pairs: list[Array] = []
        decision, log_e, used, mean_r = Decision.UNDECIDED, 0.0, 0, 0.0
        while used < most and decision is Decision.UNDECIDED:
            batch = _calls(trial, layer, f"corr {stage.stream}", 2 * _BATCH, used)
            x, y = (np.stack([a.ravel() for a in side]).astype(np.float64) for side in (batch.first, batch.second))
            pairs.append(np.stack([x[0::2], x[1::2], y[0::2], y[1::2]]))
            used += _BATCH
            evidence = calls_log_e(*np.concatenate(pairs, axis=1))
            processes = [evidence.plus, evidence.minus, evidence.plus_sizes, evidence.minus_sizes]
            against = float(average_log_e([p[_BATCH - 1 :: _BATCH] for p in processes]).max())
            mean_r = max((float(evidence.r.mean()), float(evidence.r_sizes.mean())), key=abs)
            log_e = against
            if against >= -math.log(stage.level):
                decision = Decision.FAILS
            elif not stage.confirms:
                # E r >= 0.2 makes 0.2 - r a losing bet; all four must lose.
                inside = [
                    float(betting_log_e(_EXCLUDED - sign * r, 1 + _EXCLUDED)[-1])
                    for r in (evidence.r, evidence.r_sizes)
                    for sign in (1, -1)
                ]
                if min(inside) >= -math.log(stage.beta):
                    decision, log_e = Decision.HOLDS, min(inside)
        spent = stage.beta if decision is Decision.HOLDS else stage.level
        return Judgement(decision, log_e / math.log(10), spent, mean_r, used // _BATCH, used)

    judgement, _ = trial.decide(layer, test)
    trial.settle(
        layer,
        judgement,
        4 * judgement.groups,
        measured=f"correlation {judgement.measured:.2f} between calls",
        allowed="[-0.10, 0.10]",
    )


def _coincidences(trial: Trial, layer: Layer, stream: str) -> int:
    """How many of 96 results repeat an earlier one."""
    batch = _calls(trial, layer, stream, _GENERATORS, 0)
    seen = Counter(digest(a) for a in (*batch.first, *batch.second))
    return sum(seen.values()) - len(seen)


def _calls(trial: Trial, layer: Layer, stream: str, generators: int, start: int) -> _Batch:
    draws, dtype = trial.draws, trial.dtype
    seeds = draws.seeds(layer, dtype, stream, 2 * start, 2 * start + generators)
    shared = draws.stream(layer, dtype, seeds, 2)
    if shared is not None:
        return _Batch([a for a, _ in shared], [b for _, b in shared])
    # Seeds and keys start anew: then it is the neighbouring seed that users take for the next layer.
    following = [(s + 1) % 2**31 for s in seeds]
    return _Batch(draws.arrays(layer, dtype, seeds), draws.arrays(layer, dtype, following))
