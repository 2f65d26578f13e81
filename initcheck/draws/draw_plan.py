"""How many calls of a case every claim reads first: fixed by the case alone, so that no claim changes another's."""

from __future__ import annotations

import math
from collections.abc import Iterable

from initcheck.contract.case import Case
from initcheck.statistics import GROUP_WEIGHTS

# The fewest groups of calls that can show a band to be kept.
_GROUPS = 24
# The largest of a million weights tells of rare ones; thousands of calls tell of rare calls, such as a repeated one.
_WEIGHTS, _CALLS = 2**20, 2_048
# Numbers of the results that are kept: 64 MiB of float64.
_KEPT = 2**23


def usual_calls(case: Case) -> int:
    """How many calls a first look at a band takes: 24 groups of at least 256 weights."""
    return _GROUPS * math.ceil(GROUP_WEIGHTS / case.weights)


def planned_calls(case: Case) -> int:
    """How many calls of the screen are drawn of a case that is cheap to draw: a million weights, 2,048 calls at most.

    >>> from initcheck.contract.layer import Layer
    >>> [planned_calls(Layer((n, n))) for n in (1, 8, 32, 256)]
    [6144, 2048, 1024, 24]
    """
    return max(usual_calls(case), min(_CALLS, _WEIGHTS // case.weights))


def kept_whole(plan: Iterable[Case], looked_at_whole: Iterable[Case]) -> dict[Case, int]:
    """How many calls of the screen are kept as they are: all planned ones of a few cases, of the others a sample.

    Args:
        plan: the cases that every claim walks.
        looked_at_whole: those whose entries are looked at one by one, the most telling first.
    """
    whole, left = {}, _KEPT
    for case in looked_at_whole:
        whole[case] = min(planned_calls(case), left // case.weights)
        left -= whole[case] * case.weights
    return {case: math.ceil(GROUP_WEIGHTS / case.weights) for case in plan} | whole
