"""Blocks of one layer that repeat one another: gates, heads or layers that were given the same draws."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.claims.trial import Stage, Trial
from initcheck.contract.case import Case
from initcheck.statistics import Decision, Judgement, rare_log_e

Array = npt.NDArray[Any]

_SCREEN = 6
_CONFIRM = 24
_LEAST = 64
_ALIKE = 0.9


def blocks_never_repeat(trial: Trial, layer: Case) -> None:
    """Ask whether two blocks of one layer hold the same draws in more than 1 of 1,000 layers.

    Equal, equal in another order, or correlated above 0.9 in their first entries. Pairs that repeat in six of six
    layers are looked at again in layers never seen; the event is then that all of them repeat at once.

    Raises:
        CaseFailed: they do; the evidence names a pair.
    """
    blocks = [p for p in trial.subject.peers(layer) if p.weights >= _LEAST]
    if len(blocks) < 2:
        return
    found: list[tuple[Case, Case]] = []

    def alike(stage: Stage, count: int, pairs: list[tuple[Case, Case]]) -> list[set[int]]:
        arrays = {
            p: trial.draws.arrays(
                p, trial.dtype, trial.draws.seeds(p, trial.dtype, stage.stream.of("blocks"), 0, count)
            )
            for p in dict.fromkeys(itertools.chain(*pairs))
        }
        return [{n for n, (a, b) in enumerate(pairs) if repeats(arrays[a][k], arrays[b][k])} for k in range(count)]

    def test(stage: Stage) -> Judgement:
        if not stage.confirms:
            pairs = list(itertools.combinations(blocks, 2))
            always = set.intersection(*alike(stage, _SCREEN, pairs))
            found[:] = [pairs[n] for n in sorted(always)]
            decision = Decision.FAILS if found else Decision.HOLDS
            return Judgement(decision, -math.log10(stage.beta), stage.beta, float(len(found)), 1, _SCREEN)
        events = [len(hits) == len(found) for hits in alike(stage, _CONFIRM, found)]
        log_e = float(rare_log_e(sum(events), len(events)))
        shown = log_e >= -math.log(stage.level)
        decision = Decision.FAILS if shown else Decision.UNDECIDED
        return Judgement(decision, log_e / math.log(10), stage.level, float(len(found)), 1, len(events))

    judgement, _ = trial.decide(layer, test)
    if judgement.decision is not Decision.FAILS:
        return
    first, second = found[0]
    others = f"; {len(found)} pairs of blocks in all" if len(found) > 1 else ""
    trial.settle(
        layer,
        judgement,
        judgement.groups,
        measured=f"{second.title} repeats {first.title} in every layer{others}",
        allowed="at most 1 in 1,000 layers",
        value=float(len(found)),
        detail=tuple(f"{b.title} repeats {a.title}" for a, b in found[1:12]),
    )


def repeats(one: Array, other: Array) -> bool:
    """Whether two arrays hold the same draws: equal, equal in another order, or alike in their first entries.

    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.normal(size=(8, 8)), rng.normal(size=(8, 8))
    >>> repeats(a, a.T), repeats(a, 2 * a), repeats(a, b)
    (True, True, False)
    """
    x, y = (np.ravel(a).astype(np.float64) for a in (one, other))
    if x.size == y.size and np.array_equal(np.sort(x), np.sort(y)):
        return True
    size = min(x.size, y.size)
    x, y = x[:size] - x[:size].mean(), y[:size] - y[:size].mean()
    norm = math.sqrt(float(x @ x) * float(y @ y))
    return size >= _LEAST and norm > 0 and abs(float(x @ y)) / norm > _ALIKE
