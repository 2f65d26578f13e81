"""Structure inside one result: calls ranked among copies of which every position was permuted over the calls."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from initcheck.claims.trial import Stage, Trial
from initcheck.contract.case import Case
from initcheck.diagnosis.shuffle_causes import shuffle_cause
from initcheck.draws.call import BrokenCall
from initcheck.draws.streams import SCREEN, Stream
from initcheck.engine.trials.looks import Standing, judged_by_looks
from initcheck.questions.ties import mirrored
from initcheck.seeds import generator
from initcheck.statistics import Decision, average_log_e, rarely_top_log_e, tops_log_e
from initcheck.statistics.extremes import Pairs, Places
from initcheck.statistics.permutation import CALLS_A_BATCH, Positions, excluded_structure
from initcheck.statistics.symmetric import SHUFFLES

Floats = npt.NDArray[np.float64]

_LEARNING = 150
# Batches between looks; an independent law tops so rarely that 32 to 48 batches show it.
_LOOK = 8
_MOST_TO_SCREEN = 96
_MOST_TO_CONFIRM = 192
# A glance at a layer of which no position is learnt: the likeness of two of its calls.
_GLANCE = 2
# Below this length two vectors of a thousand are nearly parallel by accident; copies are bit for bit at any length.
_LONG = 64
# Beyond what a hundred pairs of calls of a normal law show, 1.05 at 64 x 64.
_NEARER = 1.1


class _View(Protocol):
    """What is looked at in calls: some statistics, each strictly the largest of 20 with probability 1/20 at most."""

    names: ClassVar[tuple[str, ...]]
    calls: ClassVar[int]

    def tops(self, batches: Floats, rng: np.random.Generator) -> npt.NDArray[np.bool_]: ...


def beats_no_shuffle(trial: Trial, layer: Case) -> None:
    """Ask whether calls of this layer look like copies of which each position was permuted over the calls.

    Null: entries are independent, each of a law of its own, and calls are independent; then a statistic of a batch is
    strictly the largest among itself and 19 such shuffles with probability at most 1/20 (``shuffled_by_position``,
    ``Places.tops``). FAILS: the average of the e-processes of all statistics reaches 1/level. HOLDS: every statistic is
    shown to top its shuffles in less than half of the batches, at beta; no number is paid for, as one that tops in half
    of them or more must itself have been shown not to.

    A layer of moderate size is looked at position by position, as a first sample suggests; of any other only how alike
    its rows are, and its columns.

    Raises:
        CaseFailed: some statistic tops its shuffles too often.
    """
    views = trial.once(f"views of {layer!r}", lambda: _views(trial, layer))
    names = [name for view in views for name in view.names]
    worst: list[tuple[str, float]] = []

    def looks(stage: Stage) -> Iterator[Standing]:
        top = [np.zeros((len(view.names), 0), dtype=bool) for view in views]
        rngs = [generator(trial.subject.seed, "shuffles", layer.shape, stage.stream) for _ in views]
        most = (_MOST_TO_CONFIRM if stage.confirms else _MOST_TO_SCREEN) // _LOOK
        size = _LOOK * max(view.calls for view in views)
        for look in range(most):
            calls = _calls(trial, layer, stage.stream, stage.after(_LEARNING) + look * size, size)
            for which, view in enumerate(views):
                batches = calls[: _LOOK * view.calls].reshape(_LOOK, view.calls, *calls.shape[1:])
                top[which] = np.concatenate([top[which], view.tops(batches, rngs[which])], axis=1)
            every = np.concatenate(top)
            n = np.arange(1, every.shape[1] + 1)
            k = np.cumsum(every, axis=1)
            share = every.mean(axis=1)
            worst.append((names[int(share.argmax())], float(share.max())))
            against = float(average_log_e(list(tops_log_e(k, n))).max())
            inside = float(rarely_top_log_e(k[:, -1], n[-1]).min())
            yield Standing(against, inside, float(share.max()), (look + 1) * size)

    judgement, _ = trial.decide(layer, lambda stage: judged_by_looks(stage, looks(stage)), rounds=2)
    name, most_often = worst[-1]
    how_often = f"in {most_often:.0%} of the batches of {_calls_of(name, views)} calls"
    shown: dict[str, object] = {"measured": f"{name}: tops 19 shuffles of every position {how_often}"}
    if judgement.decision is Decision.FAILS:
        cause = shuffle_cause(name)
        shown = {"measured": f"{name}, {how_often}", "likely": cause.sentence, "fix": cause.fix}
    trial.settle(layer, judgement, judgement.groups, allowed="5 % by chance", value=most_often, **shown)
    if layer not in trial.subject.medium:
        return
    spread, correlation = excluded_structure(layer.units, layer.inputs)
    excluded = trial.once("excluded structure", lambda: {"spread": 0.0, "correlation": 0.0})
    excluded.update(spread=max(spread, excluded["spread"]), correlation=max(correlation, excluded["correlation"]))
    trial.note(
        f"excluded: what makes one of {len(names)} statistics top 19 shuffles in half the batches, such as"
        f" energies of calls that spread by {excluded['spread']:.0%} or neighbours that correlate by"
        f" {excluded['correlation']:.2f} (normal weights)",
        topic="excluded",
    )


def two_are_alike(trial: Trial, layer: Case) -> bool:
    """Whether the first calls of a layer look as if it held an input, or a unit, twice: as it is, or with other signs.

    A glance, which decides nothing: copies bit for bit, unless there are so few levels that accidents make them; and,
    where vectors are long enough to tell, some that are nearer to parallel than at any of 19 exchanges of positions. Of
    heavy tails, where two vectors are parallel by the largest weight of each, one exchange says nothing.
    """
    return trial.once(f"two are alike in {layer!r}", lambda: _two_are_alike(trial, layer))


def _two_are_alike(trial: Trial, layer: Case) -> bool:
    if trial.records(layer, SCREEN, 1).may_copy[0]:
        call = next(trial.draws.stacks(layer, trial.dtype, SCREEN, 0, 1))[0]
        if _copied(call) or _copied(call.T):
            return True
    if min(layer.units, layer.inputs) < _LONG:
        return False
    # Fresh calls must look so too: of heavy tails one layer in ten does by accident.
    return all(_nearer_than_exchanged(_calls(trial, layer, SCREEN, at, _GLANCE)) for at in (0, _GLANCE))


def _nearer_than_exchanged(calls: Floats) -> bool:
    seen, rng = _likeness(calls), np.random.Generator(np.random.PCG64(7))
    nearer = np.ones(len(seen), dtype=bool)
    # A law of light tails shows the same at every exchange: the first one says it.
    for _ in range(SHUFFLES):
        exchanged = np.where(rng.random(calls.shape[1:]) < 0.5, calls, calls[::-1])
        nearer &= seen > _NEARER * _likeness(exchanged)
        if not nearer.any():
            return False
    return True


def _likeness(calls: Floats) -> Floats:
    # Of what a mask has left of a short vector nearly all is parallel to another.
    rows, columns = (np.count_nonzero(calls, axis=axis, keepdims=True) >= _LONG for axis in (2, 1))
    return Pairs().of(calls * (rows & columns))


def _views(trial: Trial, layer: Case) -> Sequence[_View]:
    if layer not in trial.subject.medium:
        return (Pairs(),)
    sample = _calls(trial, layer, SCREEN, 0, _LEARNING)
    views: tuple[_View, ...] = (Positions.learnt(sample),)
    # Where an extreme lies shows in four times as many calls, which not every subject can afford.
    return (*views, Places.learnt(sample)) if trial.subject.positioned else views


def _calls_of(name: str, views: Sequence[_View]) -> int:
    return next((view.calls for view in views if name in view.names), CALLS_A_BATCH)


def _copied(rows: npt.NDArray[Any]) -> bool:
    """Whether two rows that are not zero are equal but for their signs, and by no accident."""
    rows = rows[rows.any(axis=1)]
    if len(rows) < 2 or not mirrored(rows):
        return False
    levels: int = np.unique(np.abs(rows)).size
    # Two rows of n equally likely levels agree with probability n^-length: the rule of ``ties_are_no_accident``.
    bits: float = 2 * math.log2(len(rows)) - rows.shape[1] * math.log2(levels)
    return bits < math.log2(1e-9)


def _calls(trial: Trial, layer: Case, stream: Stream, start: int, count: int) -> Floats:
    stacks = trial.draws.stacks(layer, trial.dtype, stream, start, start + count)
    calls = np.concatenate(list(stacks)).astype(np.float64)
    if not np.isfinite(calls).all():
        raise BrokenCall("not finite", "a weight is not finite")
    return calls
