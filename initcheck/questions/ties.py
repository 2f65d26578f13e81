"""Units that start alike: equal or zero rows of a weight matrix, and equal gradients at the first step."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.claims.trial import Trial
from initcheck.contract.case import Case
from initcheck.contract.contract import Contract
from initcheck.draws.first_gradients import OUTPUTS, first_gradients
from initcheck.draws.streams import SCREEN, Stream
from initcheck.statistics import SCREEN_LEVEL, Decision, Judgement, excluded_rate, rare_log_e
from initcheck.statistics.sign_eprocess import RARE
from initcheck.statistics.sums import may_tie
from initcheck.wording import listed

Array = npt.NDArray[Any]
Events = npt.NDArray[np.bool_]

_FIRST = 24
# A tie is no matter of degree: at a glance a layer looks wrong, or it does not.
_FAR = 1.0
# Without a tie so many calls exclude one in 1,000 at half of beta = 10^-3: ln(2000)/1e-3.
_EXHAUSTIVE = 7_598
# A confirmation where calls are few: three ties in the first three are enough.
_CONFIRM = 64
_CONTINUOUS = ("normal", "uniform", "truncated_normal", "laplace", "orthogonal")
# log2 of the number of equally likely levels of one continuous weight, at the coarsest of common samplers.
_LEVELS = {"float64": 22, "float32": 22, "float16": 9, "bfloat16": 7}


def ties_are_no_accident(trial: Trial, layer: Case) -> bool:
    """Whether a tie at this layer says something: not where the grid of the values may force it.

    With 64 weights a unit always. Below, two units of L equally likely levels tie with probability L^-inputs; asked
    where n^2/2 of that is below 10^-9 for the *declared* law. What was observed never excuses a tie: all-zero weights
    collide always. A constant initializer has no accidents at all.
    """
    if layer.inputs >= 64 or trial.subject.constant:
        return True
    contract: Contract = trial.subject.contract_of(layer)
    if contract.base("distribution") not in _CONTINUOUS or contract.origins.get("distribution") == "inferred":
        return False
    levels = _LEVELS.get(trial.dtype, 1)
    return 2 * math.log2(layer.units) - 1 - levels * layer.inputs < math.log2(1e-9)


def units_never_tie(trial: Trial, layer: Case, *, briefly: bool = False) -> None:
    """Ask whether draws of this layer hold two equal units, or a zero one, in more than 1 of 1,000 calls.

    The first layer asked, the lightest, is drawn until a tie in 1,000 calls is excluded or a quarter of the budget is
    spent; of the others it is the planned calls, which every claim reads; ``briefly``: two dozen calls.

    Raises:
        CaseFailed: they do; three of three calls are enough.
    """
    _glance_at_units(trial, layer)
    seen: list[str] = []

    def ties(stream: Stream, calls: int) -> Iterator[Events]:
        for found in _ties(trial, layer, stream, calls):
            seen.extend(filter(None, found))
            yield np.array([words is not None for words in found])

    profile = trial.subject.profile
    few = briefly or trial.subject.is_constant(layer) or trial.subject.dear_calls
    calls = 24 if few else trial.planned_calls(layer)
    first = trial.once("first layer asked for ties", lambda: layer) == layer
    if first and not few:
        calls = max(calls, min(_EXHAUSTIVE, profile.weights // 4 // layer.weights))
    most = _CONFIRM if few else max(_CONFIRM, min(profile.calls // 10, profile.weights // layer.weights))
    count = _rare(trial, ties, calls=min(calls, _EXHAUSTIVE), most=most if few else most // trial.thrift)
    if count.decision is Decision.HOLDS and mirrored(next(trial.draws.stacks(layer, trial.dtype, SCREEN, 0, 1))[0]):
        trial.note("some units are copies of others with opposite sign: an odd activation keeps them tied")
    _settle_ties(trial, layer, count, "draws", seen[-1] if seen else "no two units alike")


def gradients_never_tie(trial: Trial, layer: Case) -> None:
    """Ask whether two hidden units of a network started so get equal first gradients in more than 1 of 1,000.

    One hidden layer of this shape and an output layer of 128 units or more, both drawn; contract's activation, normal
    data and targets, squared error, float64 NumPy. In the first hidden layer no unit is dead on 64 centred inputs.
    Of the first layer asked 200 networks, which exclude one tie in 27; of the others 12. A glance sees equal units.

    Raises:
        CaseFailed: they do.
    """
    _glance_at_units(trial, layer)
    tied = 0
    above = trial.subject.domain.above(layer, OUTPUTS)
    trial.asks(above is not None, "asked where the plan holds a layer as wide as this one is high")
    upper, tall = above or (layer, 1)

    def ties(stream: Stream, networks: int) -> Iterator[Events]:
        nonlocal tied
        for below, gradients in first_gradients(trial.draws, trial.contract, layer, upper, tall, stream, networks):
            suspected = may_tie(below) if stream == SCREEN else np.zeros(len(below), dtype=bool)
            tied += sum(tied_rows(matrix) is not None for matrix in below[suspected])
            yield _equal_rows(gradients)

    few = trial.subject.is_constant(layer) or trial.subject.dear_calls
    first = trial.once("first layer asked for equal gradients", lambda: layer) == layer
    count = _rare(trial, ties, calls=200 if first and not few else 12, most=_CONFIRM if few else 2_000)
    if count.decision is Decision.HOLDS and tied:
        # Equal units whose outgoing weights happen to differ are no sign that an initializer tells units apart.
        return trial.undecide(
            f"units start equal in {tied:,} of {count.calls:,} networks at {layer.described(trial.dtype)}, and"
            " their outgoing weights alone tell them apart"
        )
    _settle_ties(trial, layer, count, "networks", "equal gradients" if count.events else "all gradients differ")


def tied_rows(matrix: Array) -> str | None:
    """Name two equal rows or a zero row of a matrix, as bytes after adding 0.0; None where there are none.

    >>> tied_rows(np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]]))
    'unit 2 equals unit 0'
    """
    rows = np.ascontiguousarray(matrix + matrix.dtype.type(0))
    dead = np.flatnonzero(~rows.any(axis=1))
    if dead.size:
        return f"unit {dead[0]} has only zero weights"
    # An exact hash of the bits: equal rows have equal hashes, wherever they stand (a float product may round apart).
    bits = rows.view(np.uint64 if rows.dtype.itemsize == 8 else np.uint32).astype(np.uint64, copy=False)
    keys = np.random.Generator(np.random.PCG64(7)).integers(0, 2**64, size=bits.shape[1], dtype=np.uint64)
    hashes = (bits * (keys | np.uint64(1))).sum(axis=1, dtype=np.uint64)
    order = np.argsort(hashes, kind="stable")
    for a, b in itertools.pairwise(order):
        if hashes[a] == hashes[b] and np.array_equal(rows[a], rows[b]):
            return f"unit {max(a, b)} equals unit {min(a, b)}"
    return None


def _glance_at_units(trial: Trial, layer: Case) -> None:
    trial.glances(layer, lambda calls: _FAR if any(map(any, _ties(trial, layer, SCREEN, calls))) else -_FAR)


def _ties(trial: Trial, layer: Case, stream: Stream, calls: int) -> Iterator[list[str | None]]:
    """Two equal rows of each call, or a zero one, in words; None where there are none; some calls at a time."""
    done = 0
    while done < calls:
        # The first calls of what ties always are enough.
        upto = min(calls, max(_FIRST, 4 * done))
        suspected = trial.draws.records(layer, trial.dtype, stream, upto).may_tie[done:]
        # The sums tell of nearly all calls that no rows tie; of what is left the weights are looked at.
        stacks = trial.draws.stacks(layer, trial.dtype, stream, done, upto) if suspected.any() else ()
        matrices = itertools.chain.from_iterable(stacks)
        yield [
            tied_rows(matrix) if suspect and matrix is not None else None
            for suspect, matrix in itertools.zip_longest(suspected.tolist(), matrices)
        ]
        done = upto


def mirrored(matrix: Array) -> bool:
    """Whether some row is another one, or its negative: rows tie once each is turned to a positive first weight."""
    signs = np.sign(matrix[np.arange(len(matrix)), (matrix != 0).argmax(axis=1)])[:, None]
    return tied_rows(matrix * signs) is not None


def _equal_rows(gradients: Array) -> npt.NDArray[np.bool_]:
    """Whether two rows of each matrix agree to rounding, measured by its largest row; or two rows are zero.

    >>> _equal_rows(np.array([[[1.0, 2.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]])).tolist()
    [True, False, True]
    """
    largest = np.abs(gradients).max(axis=(1, 2), keepdims=True)
    rows = np.divide(gradients, largest, out=np.zeros_like(gradients), where=largest > 0)
    probe = np.random.Generator(np.random.PCG64(7)).standard_normal(rows.shape[2])
    order = np.argsort(rows @ probe, axis=1)
    ordered = np.take_along_axis(rows, order[..., None], axis=1)
    return np.asarray(np.any(np.abs(np.diff(ordered, axis=1)).max(axis=2) < 1e-11, axis=1))


@dataclass(frozen=True)
class _Count:
    """How often an event was seen, and what follows.

    Attributes:
        decision: FAILS where more than 1 in 1,000 is shown on calls never looked at; UNDECIDED where an event was seen
            and 1 in 1,000 is not excluded; else HOLDS.
        events, calls: of everything that was drawn, or of the confirmation that FAILS.
        log_e: ln of the e-value of FAILS; of HOLDS the exact -ln of the error.
        spent: error rate.
        rate: what the exact binomial excludes.
    """

    decision: Decision
    events: int
    calls: int
    log_e: float
    spent: float
    rate: float


def _rare(trial: Trial, events: Callable[[Stream, int], Iterator[Events]], *, calls: int, most: int) -> _Count:
    """Count an event against 'in at most 1 of 1,000 calls'; what was seen once is not forgotten.

    Null of FAILS: P(event) <= 1e-3 and calls independent; the e-process of a confirmation on fresh calls is at the
    ledger's next level. HOLDS: the exact binomial of all calls, at beta/2 where none was seen and beta/2 after a
    confirmation that did not come, which together err with probability beta at most.

    Source: Clopper & Pearson 1934; ``rare_log_e``.
    """
    half = trial.beta / 2
    seen, drawn = _until_frequent(events(SCREEN, calls), SCREEN_LEVEL)
    if not seen:
        return _Count(Decision.HOLDS, 0, drawn, -math.log(half), trial.beta, excluded_rate(drawn, half))
    level = trial.ledger.next_confirmation()
    again, fresh = _until_frequent(events(Stream.confirmation(0), most), level)
    log_e = float(rare_log_e(again, fresh))
    if log_e >= -math.log(level):
        return _Count(Decision.FAILS, again, fresh, log_e, level, 1.0)
    seen, drawn = seen + again, drawn + fresh
    rate = excluded_rate(drawn, half, seen)
    decision = Decision.HOLDS if rate <= RARE else Decision.UNDECIDED
    return _Count(decision, seen, drawn, -math.log(half), trial.beta, rate)


def _until_frequent(batches: Iterable[Events], level: float) -> tuple[int, int]:
    """How many events there were in how many calls when they were shown not to be rare, or in all of them."""
    found = drawn = 0
    for batch in batches:
        at = np.flatnonzero(batch)
        log_e = rare_log_e(found + 1 + np.arange(len(at)), drawn + 1 + at)
        enough = np.flatnonzero(log_e >= -math.log(level))
        if enough.size:
            return found + 1 + int(enough[0]), drawn + 1 + int(at[enough[0]])
        found, drawn = found + len(at), drawn + len(batch)
    return found, drawn


def _settle_ties(trial: Trial, layer: Case, count: _Count, what: str, words: str) -> None:
    measured = f"{words}, in {count.events:,} of {count.calls:,} {what}" if count.events else words
    judgement = Judgement(
        count.decision, count.log_e / math.log(10), count.spent, count.events / count.calls, 1, count.calls
    )
    rates: dict[Case, float] = trial.once(f"rates of ties in {what}", dict)
    rates[layer] = count.rate
    low, high = min(rates.values()), max(rates.values())
    beyond = f"1 {what.removesuffix('s')} in {1 / low:,.0f} at {_places(rates, low)}"
    if high > low:
        beyond += f", 1 in {1 / high:,.0f} at {_places(rates, high)}"
    most = trial.once("most units looked at", lambda: _most_units(trial))
    trial.note(
        f"a tie in more than {beyond} is excluded; no layer of more than {most:,} units was looked at", topic="rate"
    )
    trial.settle(layer, judgement, judgement.groups, measured=measured, allowed=f"at most 1 in 1,000 {what}")


def _most_units(trial: Trial) -> int:
    """The units of the widest layer that is judged or glanced at, of those at which a tie says something."""
    domain = trial.subject.domain
    return max(layer.units for layer in (*domain.plan, *domain.sweep) if ties_are_no_accident(trial, layer))


def _places(rates: Mapping[Case, float], rate: float) -> str:
    shapes = [layer.shape for layer, r in rates.items() if r == rate]
    return f"shape {listed([*map(str, shapes)], 1)}"
