"""One sequential test at one stage: look, decide by the e-values of what was seen, look at more while it is open."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from initcheck.claims.trial import Stage
from initcheck.statistics import Decision, Judgement


@dataclass(frozen=True)
class Standing:
    """What all that was drawn so far says.

    Attributes:
        against: ln of an e-value against the claim.
        inside: ln of an e-value for it; None where it was not asked.
        measured: the statistic.
        groups: how many calls, or groups of them, it rests on.
    """

    against: float
    inside: float | None
    measured: float
    groups: int


def judged_by_looks(stage: Stage, looks: Iterable[Standing], *, level: float | None = None) -> Judgement:
    """Take look after look until one decides or there are no more; what follows the last is not drawn.

    Null of FAILS: the claim is true; ``against`` is then an e-process, which reaches 1/level at any look with
    probability ``level`` at most (Ville 1939). HOLDS likewise, at ``beta``; a confirmation never says it.

    >>> from initcheck.draws.streams import SCREEN
    >>> stage = Stage(SCREEN, level=1e-2, beta=1e-3, scale=1, confirms=False)
    >>> looks = [Standing(0.5, 3.0, 1.1, 24), Standing(5.0, 3.0, 1.4, 48), Standing(9.9, 3.0, 1.4, 96)]
    >>> judged_by_looks(stage, iter(looks)).groups
    48

    Args:
        stage: what is asked now.
        looks: makes one look after another; each draws more.
        level: of FAILS, where a part of the stage's level pays for something else.
    """
    judgement = Judgement(Decision.UNDECIDED, 0.0, stage.level, math.nan, 0, 0)
    for number, seen in enumerate(looks, start=1):
        decision, log_e, spent = Decision.UNDECIDED, seen.against, stage.level
        if seen.against >= -math.log(stage.level if level is None else level):
            decision = Decision.FAILS
        elif not stage.confirms and seen.inside is not None and seen.inside >= -math.log(stage.beta):
            decision, log_e, spent = Decision.HOLDS, seen.inside, stage.beta
        judgement = Judgement(decision, log_e / math.log(10), spent, seen.measured, number, seen.groups)
        if decision is not Decision.UNDECIDED:
            break
    return judgement
