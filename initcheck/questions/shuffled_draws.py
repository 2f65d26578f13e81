"""Structure inside one result: four calls ranked among copies of which every position was permuted over the calls."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from initcheck.claims.trial import Stage, Trial
from initcheck.contract.case import Case
from initcheck.diagnosis.shuffle_causes import shuffle_cause
from initcheck.draws.draws import BrokenCall
from initcheck.draws.streams import SCREEN, Stream
from initcheck.engine.trials.looks import Standing, judged_by_looks
from initcheck.seeds import generator
from initcheck.statistics import Decision, average_log_e, rarely_top_log_e, tops_log_e
from initcheck.statistics.permutation import (
    CALLS_A_BATCH,
    STATISTICS,
    Positions,
    excluded_structure,
    position_tops,
)

__all__ = ["beats_no_shuffle"]

_LEARNING = 150
# Batches between looks; an independent law tops so rarely that 32 to 48 batches show it.
_LOOK = 8
_MOST_TO_SCREEN = 96
_MOST_TO_CONFIRM = 192


def beats_no_shuffle(trial: Trial, layer: Case) -> None:
    """Ask whether four calls of this layer look like copies of which each position was permuted over the calls.

    Null: entries are independent, each of a law of its own, and calls are independent; then a statistic of a batch is
    strictly the largest among itself and 19 such shuffles with probability at most 1/20 (``shuffled_by_position``).
    FAILS: the average of the e-processes of all statistics reaches 1/level. HOLDS: every statistic is shown to top its
    shuffles in less than half of the batches, at beta; no number is paid for, as one that tops in half of them or more
    must itself have been shown not to.

    Raises:
        CaseFailed: some statistic tops its shuffles too often.
    """
    positions = trial.once(
        f"positions {layer.shape}", lambda: Positions.learnt(_calls(trial, layer, SCREEN, 0, _LEARNING))
    )
    worst: list[tuple[str, float]] = []

    def looks(stage: Stage) -> Iterator[Standing]:
        most = _MOST_TO_CONFIRM if stage.confirms else _MOST_TO_SCREEN
        top = np.zeros((len(STATISTICS), 0), dtype=bool)
        rng = generator(trial.subject.seed, "shuffles", layer.shape, stage.stream)
        while top.shape[1] < most:
            start = stage.after(_LEARNING) + top.shape[1] * CALLS_A_BATCH
            calls = _calls(trial, layer, stage.stream, start, _LOOK * CALLS_A_BATCH)
            top = np.concatenate(
                [top, position_tops(calls.reshape(_LOOK, CALLS_A_BATCH, *calls.shape[1:]), positions, rng)], 1
            )
            n = np.arange(1, top.shape[1] + 1)
            k = np.cumsum(top, axis=1)
            share = top.mean(axis=1)
            worst.append((STATISTICS[int(share.argmax())], float(share.max())))
            against = float(average_log_e(list(tops_log_e(k, n))).max())
            inside = float(rarely_top_log_e(k[:, -1], n[-1]).min())
            yield Standing(against, inside, float(share.max()), top.shape[1])

    judgement, _ = trial.decide(layer, lambda stage: judged_by_looks(stage, looks(stage)), rounds=2)
    name, most_often = worst[-1]
    how_often = f"in {most_often:.0%} of the batches of {CALLS_A_BATCH} calls"
    shown: dict[str, object] = {"measured": f"{name}: tops 19 shuffles of every position {how_often}"}
    if judgement.decision is Decision.FAILS:
        cause = shuffle_cause(name)
        shown = {"measured": f"{name}, {how_often}", "likely": cause.sentence, "fix": cause.fix}
    trial.settle(layer, judgement, CALLS_A_BATCH * judgement.groups, allowed="5 % by chance", value=most_often, **shown)
    spread, correlation = excluded_structure(layer.units, layer.inputs)
    excluded = trial.once("excluded structure", lambda: {"spread": 0.0, "correlation": 0.0})
    excluded.update(spread=max(spread, excluded["spread"]), correlation=max(correlation, excluded["correlation"]))
    trial.note(
        f"excluded: what makes one of {len(STATISTICS)} statistics top 19 shuffles in half the batches, such as"
        f" energies of calls that spread by {excluded['spread']:.0%} or neighbours that correlate by"
        f" {excluded['correlation']:.2f} (normal weights)",
        topic="excluded",
    )


def _calls(trial: Trial, layer: Case, stream: Stream, start: int, count: int) -> npt.NDArray[np.float64]:
    stacks = trial.draws.stacks(layer, trial.dtype, stream, start, start + count)
    calls = np.concatenate(list(stacks)).astype(np.float64)
    if not np.isfinite(calls).all():
        raise BrokenCall("not finite", "a weight is not finite")
    return calls
