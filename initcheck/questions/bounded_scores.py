"""Whether bounded scores of a call average to zero over calls: how a law or a symmetry is tested without p-values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.claims.trial import Stage, Trial
from initcheck.contract.case import Case
from initcheck.engine.trials.looks import Standing, judged_by_looks
from initcheck.statistics import SCREEN_LEVEL, Judgement, scores_log_e

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

# A score whose mean is 0 shows itself within 0.03 in about 330 calls.
_FIRST = 352
_MOST_TO_SCREEN = 1_500
_MOST_TO_CONFIRM = 6_000
_TOO_WIDE = 0.4


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Numbers of a call that are bounded, and average to zero where the claim is true.

    Attributes:
        names: what each score is, for messages.
        of: the scores of a stack of calls, (calls, units, inputs) to (calls, scores).
        tolerated: |E s| that counts as zero, one a score, from an error rate: what the scores rest on (a scale
            that was estimated) may be wrong with at most that probability.
        excluded: the |E s| that a HOLDS excludes.
        lowest: lower bound of each score; the upper one is 1.
    """

    names: tuple[str, ...]
    of: Callable[[Array], Floats]
    tolerated: Callable[[float], Floats]
    excluded: float
    lowest: tuple[float, ...]


def scores_average_to_zero(trial: Trial, layer: Case, scores: Scores, *, learnt: int = 0) -> float:
    """Ask whether every score has mean zero over calls; the |E s| that a HOLDS excludes, which may be wider than asked.

    Half of the level pays for what the scores rest on, half for the bets; both are bounds at every look. What they rest
    on was learnt from the first ``learnt`` calls of the screen.

    Raises:
        CaseFailed: a mean is beyond what is tolerated.
        NotAsked: so much must be tolerated that a HOLDS would exclude nothing of interest.
    """
    named: list[tuple[str, float]] = []
    excluded = max(scores.excluded, 2.0 * float(scores.tolerated(SCREEN_LEVEL / 2).max()))
    trial.asks(excluded < _TOO_WIDE, f"{layer.weights} weights a call are too few to estimate a scale from")

    def looks(stage: Stage) -> Iterator[Standing]:
        tolerated = scores.tolerated(stage.level / 2)
        # A confirmation says FAILS only; what it would exclude is of no interest, but must be wider still.
        widest = max(excluded, 1.01 * float(tolerated.max()))
        most = _MOST_TO_CONFIRM if stage.confirms else _MOST_TO_SCREEN
        values = np.empty((0, len(scores.names)))
        total = 64 if stage.confirms else _FIRST
        while len(values) < most:
            start, stop = (stage.after(learnt) + n for n in (len(values), total))
            stacks = trial.draws.stacks(layer, trial.dtype, stage.stream, start, stop)
            values = np.concatenate([values, *(scores.of(stack) for stack in stacks)])
            evidence = scores_log_e(values, tolerated, widest, scores.lowest)
            means = values.mean(axis=0)
            worst = int((np.abs(means) / tolerated).argmax())
            named.append((f"{scores.names[worst]} {means[worst]:.3g}", float(tolerated[worst])))
            yield Standing(float(evidence.against[-1]), float(evidence.inside[-1]), float(means[worst]), total)
            total = min(most, total + total // 2)

    def test(stage: Stage) -> Judgement:
        return judged_by_looks(stage, looks(stage), level=stage.level / 2)

    judgement, _ = trial.decide(layer, test, rounds=2)
    words, limit = named[-1]
    trial.settle(
        layer,
        judgement,
        judgement.groups,
        measured=words,
        allowed=f"0 (+-{limit:.2g} counts as zero)",
        value=judgement.measured,
        band=(-limit, limit),
    )
    return excluded
