"""Whether weights are centred: over a whole result, over all shapes together, and at every position."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from initcheck.contract.layer import Layer
from initcheck.draws.draws import BrokenCall
from initcheck.draws.streams import SCREEN, Stream
from initcheck.engine.trial import Stage, Trial
from initcheck.statistics import GROUP_WEIGHTS, Decision, Judgement, average_log_e, band_log_e, judge_band

__all__ = ["centred_at_every_position", "centred_over_a_result", "centred_over_all_shapes", "judge_mean"]

Floats = npt.NDArray[np.float64]

# Exactly centred weights leave rounding noise; beyond this they are off centre.
_FAILS_BEYOND = 1e-4
# Means within this many standard deviations count as centred.
_HOLDS_WITHIN = 5e-3
_LEARNING = 200
_FIRST_LOOK = Stream("first look")
# A group this large has a mean within 0.002 standard deviations of the truth: 24 of them decide.
_POOLED_WEIGHTS = 262_144
_POSITION_HOLDS = 0.25
# Calls whose projections are averaged to one value: then a centred one is below 0.25 sd in 99 % of the groups.
_GROUP = 100
# Groups at which to look; every one has all four scales of the sign process complete.
_LOOKS = (24, 32, 48, 96)
_DIRECTIONS = ("mean matrix", "row means", "column means", "largest mean", "all weights")


def centred_over_a_result(trial: Trial, layer: Layer) -> None:
    """Ask whether the mean of the weights of this layer is shown to be off zero; never says HOLDS.

    T = sum w / sqrt(n sum w^2) over groups of calls; FAILS beyond +-1e-4.

    Raises:
        CaseFailed: the mean is off zero.
    """
    if trial.subject.constant:
        record = trial.records(layer, SCREEN, 1)
        rms = math.sqrt(float(record.energy[0]) / layer.weights)
        mean = float(record.total[0]) / layer.weights / rms if rms else 0.0
        shown = _words(mean)
        return (
            trial.holds(layer, **shown, calls=1) if abs(mean) < _HOLDS_WITHIN else trial.fail(layer, **shown, calls=1)
        )
    size = math.ceil(GROUP_WEIGHTS / layer.weights)

    def test(stage: Stage) -> Judgement:
        return judge_mean(trial, [layer], size, stage, most=24 if not stage.confirms else 400)

    judgement, _ = trial.decide(layer, test, rounds=1)
    if judgement.decision is Decision.FAILS:
        trial.settle(layer, judgement, judgement.groups * size, **_words(judgement.measured))


def centred_over_all_shapes(trial: Trial, layer: Layer) -> None:
    """Ask whether the weights of all shapes together are centred to 0.005 standard deviations.

    A group is one first look at every shape of the plan: the calls that the other claims read too.

    Raises:
        CaseFailed: the mean is off zero over all shapes.
    """
    if trial.subject.constant:
        return

    def test(stage: Stage) -> Judgement:
        return judge_mean(trial, plan, size, stage, most=240)

    plan = list(trial.subject.domain.plan)
    size = math.ceil(_POOLED_WEIGHTS / sum(a.weights for a in plan))
    judgement, _ = trial.decide(layer, test)
    trial.settle(layer, judgement, judgement.groups * size, **_words(judgement.measured))


def centred_at_every_position(trial: Trial, layer: Layer) -> None:
    """Ask whether every position of this layer has expectation zero.

    From 200 calls learn directions (the mean matrix, its row and column means, its largest entry, all ones), each
    scaled by the deviation of its projection between calls. On fresh calls a projection whose mean is above 1e-4
    fails; HOLDS when all are below 0.25 deviations.

    Raises:
        CaseFailed: a direction's mean is off zero.
    """
    if trial.subject.constant:
        record = next(trial.draws.stacks(layer, trial.dtype, SCREEN, 0, 1))[0]
        if record.any():
            trial.fail(
                layer,
                measured="the same non-zero weights in every call",
                allowed="mean 0 at every position",
                calls=1,
            )
        return trial.holds(layer, measured="every weight is zero", calls=1)
    directions = trial.once(f"directions {layer.shape}", lambda: _learn(trial, layer))
    names: list[str] = []

    def test(stage: Stage) -> Judgement:
        values = np.empty((0, directions.shape[1]))
        for groups in _LOOKS:
            calls = groups * _GROUP
            stacks = trial.draws.stacks(layer, trial.dtype, stage.stream.of("positions"), len(values), calls)
            more = [stack.reshape(len(stack), -1).astype(np.float64) @ directions for stack in stacks]
            values = np.concatenate([values, *more])
            means = values.reshape(groups, _GROUP, -1).mean(axis=1).T
            looked = [band_log_e(m, np.ones(groups), -math.inf, _FAILS_BEYOND) for m in means]
            # `above` is an e-process a direction; their average is one too.
            against = float(average_log_e([e.above for e in looked]))
            largest = float(means.mean(axis=1).max())
            names.append(_DIRECTIONS[int(means.mean(axis=1).argmax())])
            if against >= -math.log(stage.level):
                return Judgement(Decision.FAILS, against / math.log(10), stage.level, largest, 1, groups)
            inside = min(float(band_log_e(m, np.ones(groups), -math.inf, _POSITION_HOLDS).inside_hi) for m in means)
            if not stage.confirms and inside >= -math.log(stage.beta):
                return Judgement(Decision.HOLDS, inside / math.log(10), stage.beta, largest, 1, groups)
        return Judgement(Decision.UNDECIDED, against / math.log(10), stage.level, largest, len(_LOOKS), groups)

    judgement, _ = trial.decide(layer, test)
    trial.settle(
        layer,
        judgement,
        judgement.groups * _GROUP,
        measured=f"{names[-1]}: a mean of {judgement.measured:.3g} standard deviations between calls",
        allowed="0 at every position",
    )


def judge_mean(
    trial: Trial,
    layers: list[Layer],
    size: int,
    stage: Stage,
    most: int,
    *,
    fails_beyond: float = _FAILS_BEYOND,
    holds_within: float = _HOLDS_WITHIN,
) -> Judgement:
    """Judge the mean over rms of groups of ``size`` calls of every layer, pooled by number of weights.

    FAILS beyond +-fails_beyond, HOLDS within +-holds_within, both in standard deviations of a weight; ``most`` groups.
    """
    drawn = 0

    def draw(groups: int) -> tuple[Floats, Floats]:
        nonlocal drawn
        total, weights = np.zeros(groups), np.zeros(groups)
        for layer in layers:
            try:
                record = trial.records(layer, stage.stream, (drawn + groups) * size)
            except BrokenCall:
                if len(layers) == 1:
                    raise
                continue
            sums = record.total[drawn * size :].reshape(groups, size).sum(axis=1)
            squares = record.energy[drawn * size :].reshape(groups, size).sum(axis=1)
            n = size * layer.weights
            total += np.divide(sums, np.sqrt(squares / n), out=np.zeros(groups), where=squares > 0)
            weights += n
        drawn += groups
        return total, weights

    return judge_band(
        draw,
        -fails_beyond,
        fails_beyond,
        level=stage.level,
        beta=stage.beta,
        first=min(24, most),
        max_groups=most,
        fails_only=stage.confirms,
        holds_within=(-holds_within, holds_within),
    )


def _learn(trial: Trial, layer: Layer) -> Floats:
    """Unit directions, (weights, directions), each divided by the deviation of its projection between calls."""
    stacks = trial.draws.stacks(layer, trial.dtype, _FIRST_LOOK.of("positions"), 0, _LEARNING)
    sample = np.concatenate(list(stacks)).astype(np.float64)
    mean = sample.mean(axis=0)
    largest = np.zeros(mean.size)
    largest[np.abs(mean).argmax()] = np.sign(mean.ravel()[np.abs(mean).argmax()])
    directions = np.stack(
        [
            mean.ravel(),
            np.repeat(mean.mean(axis=1), layer.inputs),
            np.tile(mean.mean(axis=0), layer.units),
            largest,
            np.full(mean.size, np.sign(mean.sum()) or 1.0),
        ],
        axis=1,
    )
    deviations = (sample.reshape(_LEARNING, -1) @ directions).std(axis=0, ddof=1)
    scaled: Floats = np.divide(directions, deviations, out=np.zeros_like(directions), where=deviations > 0)
    return scaled


def _words(mean: float) -> dict[str, object]:
    return {"measured": f"mean {mean:.3g} standard deviations", "allowed": "0 (+-0.005 counts as zero)", "value": mean,
            "band": (-_HOLDS_WITHIN, _HOLDS_WITHIN)}  # fmt: skip
