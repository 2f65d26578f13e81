"""Whether weights are centred: over a whole result of every layer, and at every position of a few."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.claims.trial import Stage, Trial
from initcheck.contract.case import Case
from initcheck.draws.streams import SCREEN
from initcheck.engine.trials.looks import Standing, judged_by_looks
from initcheck.statistics import GROUP_WEIGHTS, Decision, Judgement, average_log_e
from initcheck.statistics.mean_bets import mean_is_within, mean_within, signed_log_e

Floats = npt.NDArray[np.float64]

# Exactly centred weights leave rounding noise; beyond this they are off centre.
_FAILS_BEYOND = 1e-4
# A HOLDS excludes a mean beyond this many standard deviations at least; how far it is excluded is said.
_HOLDS_WITHIN = 0.1
# Weights of a first look.
_FIRST_WEIGHTS = 2**17
# A FAILS rests on so many weights and calls, so that what is rare and huge is among them.
_CONFIRM_WEIGHTS = 2**20
_CONFIRM_CALLS = 200
_TAIL_WEIGHTS = 2**18
_LEARNING = 200
# Standard errors of a mean of calls beyond which a HOLDS waits for more of them: a delay, no test.
_PLAUSIBLE = 4.0
_SUSPECT = 2.5
_POSITION_HOLDS = 0.25
# Standard errors beyond which a layer is asked that a glance alone would have passed over: a thousand are glanced at.
_OFF = 4.5
_SOME_CALLS = 16
# Calls at which to look at positions.
_LOOKS = (800, 2_400, 4_800, 9_600)
_DIRECTIONS = ("mean matrix", "row means", "column means", "largest mean", "all weights")


@dataclass(frozen=True)
class Mean:
    """What is asked of the mean of a layer, in standard deviations of a weight.

    Attributes:
        fails_beyond: nearer to zero than this is no failure.
        holds_within: a HOLDS excludes what lies further out.
        first: calls of the first look, which is doubled until it decides, or ``most`` are drawn.
        most: of the screen.
        confirm: calls of a confirmation at its first look, and at its last.
    """

    fails_beyond: float
    holds_within: float
    first: int
    most: int
    confirm: tuple[int, int]


def centred_over_a_result(trial: Trial, layer: Case) -> None:
    """Ask whether the mean of the weights of this layer is off zero, and say how far off it is shown not to be.

    The mean of every call, over the deviation of a weight: bets that it is beyond 1e-4 on either side, and that it is
    within what is printed. Both are of this layer alone.

    Raises:
        CaseFailed: the mean is off zero.
    """
    trial.glances(layer, lambda calls: _looks_off_centre(trial, layer, calls))
    if trial.subject.constant:
        record = trial.records(layer, SCREEN, 1)
        rms = math.sqrt(float(record.energy[0]) / layer.weights)
        mean = float(record.total[0]) / layer.weights / rms if rms else 0.0
        if abs(mean) < _FAILS_BEYOND:
            return trial.holds(layer, **_words(mean, _FAILS_BEYOND), calls=1)
        trial.fail(layer, **_words_of_failure(mean), calls=1)
    profile = trial.subject.profile
    usual = trial.usual_calls(layer)
    # Of the calls that every claim reads so many that a mean beyond 0.02 standard deviations is excluded.
    first = min(trial.planned_calls(layer), max(usual, math.ceil(_FIRST_WEIGHTS / layer.weights)))
    paid = max(first, min(profile.weights // layer.weights, profile.calls))
    confirming = _CONFIRM_WEIGHTS // 8 if trial.named_only else _CONFIRM_WEIGHTS
    least = max(_CONFIRM_CALLS, math.ceil(confirming / layer.weights))
    asked = Mean(_FAILS_BEYOND, _HOLDS_WITHIN, first, min(4 * first, paid), (min(least, paid), paid))
    if trial.thrift > 1:
        asked = Mean(_FAILS_BEYOND, _HOLDS_WITHIN, first, first, (min(least, paid), min(least, paid)))
    tolerances: list[float] = []

    def test(stage: Stage) -> Judgement:
        if stage.confirms and profile.dear and least > paid:
            # What is rare and huge must be among the calls, and of dear ones so many are not paid for.
            return Judgement(Decision.UNDECIDED, 0.0, stage.level, math.nan, 0, 0)
        judgement, tolerance = judge_mean(trial, layer, stage, asked)
        tolerances.append(tolerance)
        return judgement

    # Where the tail shows no second moment as many fresh calls say no more than the first ones.
    judgement, _ = trial.decide(layer, test, rounds=2 if trial.subject.second_moment_exists else 1)
    tolerance = tolerances[-1] if judgement.decision is Decision.HOLDS else _HOLDS_WITHIN
    fails = judgement.decision is Decision.FAILS
    words = _words_of_failure(judgement.measured) if fails else _words(judgement.measured, tolerance)
    trial.settle(layer, judgement, judgement.groups, **words)
    excluded: dict[Case, float] = trial.once("means excluded", dict)
    excluded[layer] = tolerance
    least_far, most_far = (choose(excluded, key=lambda a: excluded[a]) for choose in (min, max))
    trial.note(
        f"a mean beyond {excluded[least_far]:.2g} standard deviations is excluded at shape {least_far.shape}"
        + (f", beyond {excluded[most_far]:.2g} at shape {most_far.shape}" if len(excluded) > 1 else "")
        + (f", between them at the {len(excluded) - 2} others" if len(excluded) > 2 else ""),
        topic="excluded",
    )


def _looks_off_centre(trial: Trial, layer: Case, calls: int) -> float:
    """The logarithm of the mean over what it may be by chance, in standard errors."""
    record = trial.records(layer, SCREEN, calls)
    energy, total = float(record.energy.sum()), abs(float(record.total.sum()))
    if trial.subject.constant:
        allowed = _FAILS_BEYOND * math.sqrt(energy * layer.weights)
    else:
        # Of weights that depend on one another the calls say more than the weights, where there are some.
        between = float(record.total.std()) * math.sqrt(calls) if calls >= _SOME_CALLS else 0.0
        allowed = _OFF * max(math.sqrt(energy), between)
    return math.log(total / allowed) if 0 < allowed < math.inf and 0 < total < math.inf else -math.inf


def centred_at_every_position(trial: Trial, layer: Case) -> None:
    """Ask whether every position of this layer has expectation zero.

    From 200 calls learn directions (the mean matrix, its row and column means, its largest entry, all ones), each
    scaled by the deviation of its projection between calls. On fresh calls bets that a projection's mean is above 1e-4;
    HOLDS when the bets that it is below 0.25 deviations have won, of all of them.

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

    def looks(stage: Stage) -> Iterator[Standing]:
        values, largest = np.empty((0, directions.shape[1])), 0.0
        for calls in _LOOKS:
            more = []
            start, stop = (stage.after(_LEARNING) + n for n in (len(values), calls))
            for stack in trial.draws.stacks(layer, trial.dtype, stage.stream, start, stop):
                flat = stack.reshape(len(stack), -1).astype(np.float64)
                largest = max(largest, float(np.abs(flat).max()))
                more.append(flat @ directions)
            values = np.concatenate([values, *more])
            means = values.mean(axis=0)
            # One huge weight moves a projection by this much, wherever it stands.
            reach = largest * np.abs(directions).max(axis=0)
            looked = [signed_log_e(v, _FAILS_BEYOND, r, every=calls)[-1] for v, r in zip(values.T, reach, strict=True)]
            # Each is an e-process; their average is one too.
            against = float(average_log_e(looked))
            names.append(_DIRECTIONS[int(means.argmax())])
            # Where the calls themselves say that a mean is off, more are drawn before it is said to hold.
            holds = not stage.confirms and not _off_by(values, means, _PLAUSIBLE)
            narrow = holds and all(mean_is_within(v, _POSITION_HOLDS, stage.beta) for v in values.T)
            yield Standing(against, -math.log(stage.beta) if narrow else None, float(means.max()), calls)
            # As another layer stayed open the claim cannot hold: more is drawn for a mean that looks off alone.
            if trial.undecided and not stage.confirms and not _off_by(values, means, _SUSPECT):
                return

    judgement, _ = trial.decide(layer, lambda stage: judged_by_looks(stage, looks(stage)), rounds=2)
    if judgement.decision is Decision.HOLDS:
        trial.note(
            f"at every position of {len(trial.subject.positioned)} layers a mean beyond {_POSITION_HOLDS:g} deviations"
            f" along {len(_DIRECTIONS)} directions that {_LEARNING} calls suggest is excluded",
            topic="positions",
        )
    trial.settle(
        layer,
        judgement,
        judgement.groups,
        measured=f"{names[-1]}: a mean of {judgement.measured:.3g} standard deviations between calls",
        allowed="0 at every position",
    )


def _off_by(values: Floats, means: Floats, errors: float) -> bool:
    """Whether the mean of some column lies so many standard errors beyond what is no failure."""
    return bool((means > _FAILS_BEYOND + errors * values.std(axis=0) / math.sqrt(len(values))).any())


def judge_mean(trial: Trial, layer: Case, stage: Stage, asked: Mean) -> tuple[Judgement, float]:
    """Judge the mean of a layer's weights over their deviation, by bets on the means of calls; the tolerance reached.

    Null of FAILS: |E w| <= fails_beyond, whatever the law, skewed or not; calls independent. Assumes that nothing
    carries the mean that is more than twice as large as all that was drawn, here or, in units of the usual weight, at
    the largest layer (``signed_log_e``); so a confirmation first looks after 2^20 weights and 200 calls, or what the
    profile pays for. HOLDS: |E w| is shown to be within a tolerance no wider than ``holds_within``, and
    the measured mean lies within four standard errors of zero, else more is drawn: that makes a HOLDS only rarer.
    """
    n, calls = layer.weights, asked.confirm[0] if stage.confirms else asked.first
    most = asked.confirm[1] if stage.confirms else asked.most
    while True:
        record = trial.records(layer, stage.stream, calls)
        means = record.total / n
        rms = math.sqrt(float(record.energy.sum()) / (n * calls))
        if not 0 < rms < math.inf:
            return Judgement(Decision.HOLDS if rms == 0 else Decision.UNDECIDED, 0.0, stage.beta, 0.0, 1, calls), 0.0
        x = means / rms
        largest = float(record.largest.max()) / rms / n
        rare = max(largest, _rare_weight(trial, layer) / rms / n)
        sides = [float(signed_log_e(side, asked.fails_beyond, rare, every=calls)[-1]) for side in (x, -x)]
        against = float(average_log_e(sides))
        measured = float(x.mean())
        if against >= -math.log(stage.level):
            return Judgement(Decision.FAILS, against / math.log(10), stage.level, measured, 1, calls), math.inf
        if not stage.confirms:
            tolerance = mean_within(x, stage.beta, largest)
            # Where the calls themselves say that the mean is off, more are drawn before anything is said to hold.
            error = float(np.std(x)) / math.sqrt(len(x))
            if tolerance <= asked.holds_within and abs(measured) <= asked.fails_beyond + _PLAUSIBLE * error:
                sure = -math.log10(stage.beta)
                return Judgement(Decision.HOLDS, sure, stage.beta, measured, 1, calls), tolerance
        if calls >= most:
            return Judgement(Decision.UNDECIDED, against / math.log(10), stage.level, measured, 1, calls), math.inf
        calls = min(2 * calls, most)


def _rare_weight(trial: Trial, layer: Case) -> float:
    """How large a weight of this layer may be by the largest layer's tail, in units of the median of those not zero."""

    def ratio() -> float:
        other = trial.subject.domain.largest
        calls = max(1, min(24, math.ceil(_TAIL_WEIGHTS / other.weights)))
        record = trial.records(other, SCREEN, trial.usual_calls(other))
        usual = _usual_weight(trial, other, calls)
        return float(record.largest.max()) / usual if usual else 0.0

    usual = trial.once(
        f"usual weight {layer.shape}", lambda: _usual_weight(trial, layer, math.ceil(GROUP_WEIGHTS / layer.weights))
    )
    return usual * trial.once("tail of the largest layer", ratio)


def _usual_weight(trial: Trial, layer: Case, calls: int) -> float:
    sizes = np.abs(trial.draws.sample(layer, trial.dtype, SCREEN, calls))
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    return float(np.median(sizes)) if sizes.size else 0.0


def _learn(trial: Trial, layer: Case) -> Floats:
    """Unit directions, (weights, directions), each divided by the deviation of its projection between calls."""
    stacks = trial.draws.stacks(layer, trial.dtype, SCREEN, 0, _LEARNING)
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


def _words_of_failure(mean: float) -> dict[str, object]:
    """What no bet excludes belongs to a HOLDS: beside a mean that is off zero it would read as if that were fine."""
    return {**_words(mean, _FAILS_BEYOND), "allowed": f"0 (+-{_FAILS_BEYOND:g})"}


def _words(mean: float, tolerance: float) -> dict[str, object]:
    return {"measured": f"mean {mean:.3g} standard deviations", "allowed": f"0 (+-{tolerance:.2g} is not excluded)",
            "value": mean, "band": (-tolerance, tolerance)}  # fmt: skip
