"""Whether calls are independent: equal results, too few distinct ones, and correlation from call to call."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.claims.trial import Stage, Trial
from initcheck.contract.case import Case
from initcheck.draws.call import BrokenCall
from initcheck.draws.draws import digest
from initcheck.draws.fresh_process import Call, fresh_processes
from initcheck.draws.streams import FIRST_CALL, SCREEN, Stream
from initcheck.engine.trials.looks import Standing, judged_by_looks
from initcheck.sandbox.global_generators import isolated
from initcheck.statistics import (
    average_log_e,
    betting_log_e,
    call_correlation,
    call_views,
    excluded_states,
    parts_that_correlate,
    symmetric_log_e,
)

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

# Two results of which each has so many weights that are not zero coincide by accident once in 2^64 pairs at most.
_TELLING = 64
_ACCIDENT = 2.0**-64
# Above 0.1 a correlation fails; HOLDS says that it is below this, of weights in order of size, which move together,
# below a half.
_EXCLUDED = (0.2, 0.2, 0.2, 0.5)
_BATCH = 24
_NETWORK_WIDTH, _NETWORK_LAYERS = 16, 5
_MORE_SEEDS = 100


def layers_are_distinct(trial: Trial, layer: Case) -> None:
    """Ask of what makes a whole network at once, from a list of widths, whether two of its layers are one.

    Two networks of five equal layers: of results of 64 weights that are not zero no more than 2^-64 of the pairs
    coincide by accident.

    Raises:
        CaseFailed: layers coincide in both.
    """
    if trial.subject.constant:
        return

    def copies(seed: int) -> int:
        made = trial.draws.network(_NETWORK_WIDTH, _NETWORK_LAYERS, seed, trial.dtype)
        telling = [matrix.tobytes() for matrix in made if np.count_nonzero(matrix) >= _TELLING]
        return len(telling) - len(set(telling))

    seeds = trial.draws.seeds(layer, trial.dtype, FIRST_CALL, 1, 3)
    equal: list[int] = trial.once("layers of a network", lambda: [copies(seed) for seed in seeds])
    if min(equal) > 0:
        trial.fail(
            layer,
            measured=f"{equal[0] + 1} of {_NETWORK_LAYERS} layers of one network are equal",
            allowed="all distinct",
            calls=2,
            e_value_log10=-math.log10(_ACCIDENT * _NETWORK_LAYERS**2),
            error_spent=_ACCIDENT * _NETWORK_LAYERS**2,
        )


def calls_are_distinct(trial: Trial, layer: Case) -> None:
    """Ask whether no result repeats another, as it lies or in another order and with other signs.

    96 calls, two on each of 48 generators, and where calls are cheap the planned ones, which every claim reads: by
    their number the states that the generator must have are bounded. One coincidence is a reason to look again, at as
    many fresh calls; one there fails: of two results with 64 weights that are not zero, however coarse, no more than
    2^-64 of the pairs coincide by accident.

    Raises:
        CaseFailed: a coincidence among calls never looked at.
    """
    alone = trial.planned_calls(layer) if trial.thrift == 1 and not trial.subject.dear_calls else 0
    found = _Results(trial.subject.constant)
    _look(trial, layer, SCREEN, alone, found)
    calls, seen = found.calls, found.coincidences
    if seen:
        level = trial.ledger.next_confirmation()
        # A sampler of one law that is one point has no accidents: then every result counts.
        fresh = _Results(trial.subject.constant)
        _look(trial, layer, Stream.confirmation(0), alone, fresh)
        accident = _ACCIDENT * calls**2 / 2
        if fresh.coincidences and accident <= level:
            trial.fail(
                layer,
                measured=f"{calls - fresh.coincidences:,} distinct results in {calls:,} calls{fresh.words}",
                allowed="all distinct",
                calls=calls,
                e_value_log10=-math.log10(accident),
                error_spent=level,
            )
        return trial.undecide(
            f"{seen} of {calls:,} results repeat others at {layer.described(trial.dtype)}, and none of as many fresh"
            " ones"
        )
    trial.holds(layer, measured=f"{calls:,} distinct results", allowed="all distinct", calls=calls)
    most: list[int] = trial.once("results of one shape", lambda: [0])
    most[0] = max(most[0], found.telling)
    states = excluded_states(most[0], trial.beta)
    trial.note(f"fewer than {states:,.0f} different results of one shape are excluded", topic="rate")


def calls_do_not_correlate(trial: Trial, layer: Case) -> None:
    """Ask whether a second call on a generator, or on the next seed, tells of the first.

    r = corr(X1 - X2, Y1 - Y2) over two generators, on w, on |w|, on w against w in reverse and on w in order of size,
    is symmetric about 0 under independence, whatever the law, the means or the dependence inside a call; betting on
    |r| > 0.1 in both directions. So is r of one row and of one column alone: of those that correlate most in the first
    pairs, on the pairs that follow. What two calls share in one unit is little of the whole.

    Raises:
        CaseFailed: a correlation beyond 0.1 is shown.
    """
    words: list[str] = []

    def looks(stage: Stage) -> Iterator[Standing]:
        pairs: list[Array] = []
        parts: tuple[Index, ...] = ()
        for start in range(0, 96 if not stage.confirms else 384, _BATCH):
            sides = _pairs(trial, layer, stage.stream, start // _BATCH)
            x, y = (side.reshape(len(side), -1).astype(np.float64) for side in sides)
            pairs.append(np.stack([x[0::2], x[1::2], y[0::2], y[1::2]]))
            every = np.concatenate(pairs, axis=1)
            x1, x2, y1, y2 = every
            views = call_views(x1, x2, y1, y2)
            processes = [process for r in views for process in symmetric_log_e(r)]
            # Chosen by the first pairs, judged by those that follow: until then nothing is bet.
            of_parts = [call_correlation(*every[:, _BATCH:, part]) for part in parts]
            bets = [process for r in of_parts for process in symmetric_log_e(r)] or [np.empty(0)] * 4
            processes += [np.concatenate([np.zeros(_BATCH), process]) for process in bets]
            parts = parts or parts_that_correlate(*pairs[0].reshape(4, -1, layer.units, layer.inputs))
            against = float(average_log_e([p[_BATCH - 1 :: _BATCH] for p in processes]).max())
            # E r >= 0.2 makes 0.2 - r a losing bet; all must lose.
            inside = min(
                float(betting_log_e(excluded - sign * r, 1 + excluded)[-1])
                for r, excluded in zip(views, _EXCLUDED, strict=True)
                for sign in (1, -1)
            )
            # A part is named only where it is the part that tells.
            telling = of_parts if max(float(p.max(initial=0.0)) for p in bets) > against else ()
            words[:] = [" in one row or column"] if telling else []
            measured = max((float(r.mean()) for r in telling or views), key=abs)
            yield Standing(against, inside, measured, start + _BATCH)

    judgement, _ = trial.decide(layer, lambda stage: judged_by_looks(stage, looks(stage)))
    trial.settle(
        layer,
        judgement,
        4 * judgement.groups,
        measured=f"correlation {judgement.measured:.2f} between calls{''.join(words)}",
        allowed="[-0.10, 0.10]",
    )
    trial.note(
        f"a correlation of two calls beyond {_EXCLUDED[0]:g} is excluded at {len(trial.subject.medium)} layers, of"
        f" weights in order of size beyond {_EXCLUDED[-1]:g}",
        topic="excluded",
    )


class _Results:
    """Results that are told apart as they lie, and by their magnitudes in order where these are too many to coincide.

    Attributes:
        calls: how many there are.
        telling: of them those with 64 weights that are not zero: others may coincide by accident, and are not counted.
    """

    def __init__(self, constant: bool) -> None:
        self.calls = self.telling = self._ordered = 0
        self._every_one_tells = constant
        self._lying: set[bytes] = set()
        self._magnitudes: set[bytes] = set()

    def add(self, stack: npt.NDArray[Any]) -> None:
        """Look at the calls of a stack."""
        # -0.0 and 0.0 are one value.
        flat = stack.reshape(len(stack), -1) + stack.dtype.type(0)
        self.calls += len(flat)
        if not self._every_one_tells:
            flat = flat[np.count_nonzero(flat, axis=1) >= _TELLING]
        self.telling += len(flat)
        self._lying.update(row.tobytes() for row in flat)
        magnitudes = np.sort(np.abs(flat), axis=1)
        magnitudes = magnitudes[np.count_nonzero(np.diff(magnitudes, axis=1), axis=1) >= _TELLING // 2]
        self._ordered += len(magnitudes)
        self._magnitudes.update(row.tobytes() for row in magnitudes)

    @property
    def coincidences(self) -> int:
        """Results that repeat an earlier one."""
        return max(self._same, self._moved)

    @property
    def words(self) -> str:
        """How they repeat it, for a message."""
        return "" if self._same >= self._moved else ": the others hold the same magnitudes, reordered"

    @property
    def _same(self) -> int:
        return self.telling - len(self._lying)

    @property
    def _moved(self) -> int:
        return self._ordered - len(self._magnitudes)


def _look(trial: Trial, layer: Case, stream: Stream, alone: int, found: _Results) -> None:
    """Add the first pairs of a stage, and so many calls on a generator of their own."""
    for side in _pairs(trial, layer, stream, 0):
        found.add(side)
    for stack in trial.draws.stacks(layer, trial.dtype, stream, 0, alone):
        found.add(stack)


def _pairs(trial: Trial, layer: Case, stream: Stream, number: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Two calls on each of 48 generators; the first of a stage are looked at twice and drawn once."""
    start = 2 * _BATCH * number

    def draw() -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        return trial.draws.pairs(layer, trial.dtype, stream.of("pairs"), start, start + 2 * _BATCH)

    return draw() if number else trial.once(f"pairs {stream} of {layer!r}", draw)


def repeats_bit_for_bit(trial: Trial, layers: Sequence[Case]) -> None:
    """Ask whether a plan of (shape, seed) pairs gives the same bits every time it is drawn.

    Four times: here forward and backward under different global seeds, and the same in two fresh processes, because
    a cache by shape is invisible inside one process. Here also a hundred more seeds of the lightest layer, in both
    orders: what one call in fifty does shows in four of them, at other seeds each time.

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
    fresh = fresh_processes().start(trial.initializer, plan, trial.dtype)
    # What only some calls do is seen in many: here alone, where a call is cheap.
    lightest, many = layers[0], plan
    if not trial.subject.dear_calls:
        seeds = trial.draws.seeds(lightest, trial.dtype, Stream("repeat"), 2, _MORE_SEEDS + 2)
        many = [*plan, *((lightest.asked, seed, lightest.shape) for seed in seeds)]
    here = {
        "in this process": _drawn(trial, layers, many, 1, backward=False),
        "in another order": _drawn(trial, layers, many, 2, backward=True),
    }
    answers = fresh.answers()
    expected = here["in this process"]
    for where, digests in {**here, **(answers or {})}.items():
        for call, first, again in zip(many, expected, digests, strict=False):
            if first != again:
                layer = next(a for a in layers if a.asked == call[0])
                broken = again.removeprefix("broken: ") if again.startswith("broken: ") else None
                does = {None: "gives other values", "raises": "raises"}.get(broken, f"gives another {broken}")
                trial.fail(
                    layer,
                    measured=f"seed {call[1]} {does} {where}",
                    allowed="the same bits for the same shape, dtype and seed",
                    calls=len(plan) * (len(answers or {}) + 2),
                )
    if answers is None:
        # Half of the question was not asked: what is kept by shape looks the same for ever in one process.
        return trial.undecide(
            f"the same bits in this process, in two orders; not repeated in a fresh process: {fresh.why_not}"
        )
    for layer in layers:
        trial.holds(layer, measured="the same bits every time", calls=2 * (len(answers) + 2))


def _drawn(trial: Trial, layers: Sequence[Case], plan: Sequence[Call], seed: int, *, backward: bool) -> list[str]:
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
