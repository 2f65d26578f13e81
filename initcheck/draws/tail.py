"""Whether the weights have a second moment at all: read off the tail of the largest sample of the plan."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from initcheck.contract.case import Case
from initcheck.draws.call import BrokenCall
from initcheck.draws.draws import Draws
from initcheck.draws.streams import SCREEN
from initcheck.statistics import second_moment_shown

# Weights of the sample, and calls at most.
_WEIGHTS, _CALLS = 262_144, 4_096


def second_moment_exists(draws: Draws, plan: Iterable[Case], dtype: str, *, constant: bool) -> bool:
    """Whether the tail shows that a variance exists (Hill's index), at the largest case that gives finite weights.

    Args:
        draws: of the initializer.
        plan: where to look.
        dtype: the dtype asked for.
        constant: every call gives the same weights, which have any moment.
    """
    for case in sorted(plan, key=lambda a: (a.weights, a), reverse=True):
        values = draws.sample(case, dtype, SCREEN, min(max(1, -(-_WEIGHTS // case.weights)), _CALLS))
        # A NaN has no size; that there are some is the finding of another claim.
        sizes = values[np.isfinite(values)]
        if sizes.size:
            return constant or second_moment_shown(sizes)
    return constant


def spread_of_calls(draws: Draws, case: Case, dtype: str, calls: int, near: float) -> tuple[float, float]:
    """The relative deviation of the energies of the first calls, and the share that lies so near their mean.

    (0, 1), as if all were alike, where a call is broken or all are zero: others judge that.
    """
    try:
        energy = draws.records(case, dtype, SCREEN, calls).energy
    except BrokenCall:
        return 0.0, 1.0
    mean = float(energy.mean())
    if not 0 < mean < math.inf:
        return 0.0, 1.0
    return float(energy.std()) / mean, float((np.abs(energy / mean - 1) < near).mean())
