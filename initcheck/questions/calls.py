"""Whether calls are independent: equal results, too few distinct ones, and correlation from call to call."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.contract.layer import Layer
from initcheck.draws.draws import BrokenCall, digest
from initcheck.draws.streams import Stream
from initcheck.engine.trial import Stage, Trial
from initcheck.sandbox.global_generators import isolated
from initcheck.statistics import Decision, Judgement, average_log_e, betting_log_e, calls_log_e

__all__ = ["calls_are_distinct", "calls_do_not_correlate", "repeats_bit_for_bit"]

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
    found = _coincidences(trial, layer, Stream("pairs"))
    if found:
        found = _coincidences(trial, layer, Stream("pairs confirm"))
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
            batch = _calls(trial, layer, stage.stream.of("corr"), 2 * _BATCH, used)
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


def _coincidences(trial: Trial, layer: Layer, stream: Stream) -> int:
    """How many of 96 results repeat an earlier one."""
    batch = _calls(trial, layer, stream, _GENERATORS, 0)
    seen = Counter(digest(a) for a in (*batch.first, *batch.second))
    return sum(seen.values()) - len(seen)


def _calls(trial: Trial, layer: Layer, stream: Stream, generators: int, start: int) -> _Batch:
    draws, dtype = trial.draws, trial.dtype
    seeds = draws.seeds(layer, dtype, stream, 2 * start, 2 * start + generators)
    shared = draws.stream(layer, dtype, seeds, 2)
    if shared is not None:
        return _Batch([a for a, _ in shared], [b for _, b in shared])
    # Seeds and keys start anew: then it is the neighbouring seed that users take for the next layer.
    following = [(s + 1) % 2**31 for s in seeds]
    return _Batch(draws.arrays(layer, dtype, seeds), draws.arrays(layer, dtype, following))


Call = tuple[tuple[int, ...], int, tuple[int, ...]]


def repeats_bit_for_bit(trial: Trial, layers: Sequence[Layer]) -> None:
    """Ask whether a plan of (shape, seed) pairs gives the same bits every time it is drawn.

    Four times: here forward and backward under different global seeds, and the same in two fresh processes, because
    a cache by shape is invisible inside one process.

    Raises:
        CaseFailed: the values of a pair differ.
    """
    plan: list[Call] = []
    for layer in layers:
        plan += [
            (layer.asked, seed, layer.shape) for seed in trial.draws.seeds(layer, trial.dtype, Stream("repeat"), 0, 2)
        ]
    # Seed 0 is a seed like another, and `seed or ...` takes it for none.
    plan.append((layers[-1].asked, 0, layers[-1].shape))
    fresh = trial.subject.fresh.start(trial.initializer, plan, trial.dtype)
    here = {
        "in this process": _drawn(trial, layers, plan, 1, backward=False),
        "in another order": _drawn(trial, layers, plan, 2, backward=True),
    }
    answers = fresh.answers()
    if answers is None:
        trial.note(f"not repeated in a fresh process: {fresh.why_not}")
        answers = {}
    expected = here["in this process"]
    for where, digests in {**here, **answers}.items():
        for call, first, again in zip(plan, expected, digests, strict=True):
            if first != again:
                layer = next(a for a in layers if a.asked == call[0])
                broken = again.removeprefix("broken: ") if again.startswith("broken: ") else None
                does = {None: "gives other values", "raises": "raises"}.get(broken, f"gives another {broken}")
                trial.fail(
                    layer,
                    measured=f"seed {call[1]} {does} {where}",
                    allowed="the same bits for the same shape, dtype and seed",
                    calls=len(plan) * (len(answers) + 2),
                )
    for layer in layers:
        trial.holds(layer, measured="the same bits every time", calls=2 * (len(answers) + 2))


def _drawn(trial: Trial, layers: Sequence[Layer], plan: Sequence[Call], seed: int, *, backward: bool) -> list[str]:
    """Digests of the plan's calls, in its order, though drawn in either order."""
    by_shape = {layer.asked: layer for layer in layers}
    digests: dict[Call, str] = {}
    with isolated(seed):
        for asked, call_seed, shape in reversed(plan) if backward else plan:
            layer = by_shape[asked]
            # Moves the global generators between calls: code that leans on them must show it.
            random.random()
            np.random.random_sample()
            try:
                result = trial.draws.raw(layer, trial.dtype, [call_seed])[0]
                digests[asked, call_seed, shape] = digest(trial.draws.array(layer, trial.dtype, result)).hex()
            except BrokenCall as broken:
                digests[asked, call_seed, shape] = f"broken: {broken.kind}"
    return [digests[call] for call in plan]
