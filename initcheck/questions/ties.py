"""Units that start alike: equal or zero rows of a weight matrix, and equal gradients at the first step."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.contract.contract import Contract
from initcheck.contract.layer import Layer
from initcheck.draws.first_gradients import first_gradients
from initcheck.engine.trial import Stage, Trial
from initcheck.statistics import Decision, Judgement, excluded_rate, rare_log_e

__all__ = ["gradients_never_tie", "may_tie", "tied_rows", "ties_are_no_accident", "units_never_tie"]

Array = npt.NDArray[Any]

_CONTINUOUS = ("normal", "uniform", "truncated_normal", "laplace", "orthogonal")
# log2 of the number of equally likely levels of one continuous weight, at the coarsest of common samplers.
_LEVELS = {"float64": 22, "float32": 22, "float16": 9, "bfloat16": 7}


def ties_are_no_accident(trial: Trial, layer: Layer) -> bool:
    """Whether a tie at this layer says something: not where the grid of the values may force it.

    At fan_in >= 64 always. Below, two units of L equally likely levels tie with probability L^-fan_in; asked where
    n^2/2 of that is below 10^-9 for the *declared* law. What was observed never excuses a tie: all-zero weights
    collide always. A constant initializer has no accidents at all.
    """
    if layer.fan_in >= 64 or trial.subject.constant:
        return True
    contract: Contract = trial.subject.contract_of(layer)
    if contract.base("distribution") not in _CONTINUOUS or contract.origins.get("distribution") == "inferred":
        return False
    levels = _LEVELS.get(trial.dtype, 1)
    return 2 * math.log2(layer.units) - 1 - levels * layer.fan_in < math.log2(1e-9)


def units_never_tie(trial: Trial, layer: Layer) -> None:
    """Ask whether draws of this layer hold two equal units, or a zero one, in more than 1 of 1,000 calls.

    Raises:
        CaseFailed: they do; three of three calls are enough.
    """
    seen: list[str] = []

    def ties(stage: Stage, calls: int) -> Iterator[bool]:
        for stack in trial.draws.stacks(layer, trial.dtype, stage.stream, 0, calls):
            for matrix, suspected in zip(stack, may_tie(stack), strict=True):
                found = tied_rows(matrix) if suspected else None
                if found is not None:
                    seen.append(found)
                yield found is not None

    def test(stage: Stage) -> Judgement:
        calls = min(24, max(4, 2**18 // layer.weights)) if not stage.confirms else 64
        return _rare(ties(stage, calls), calls, stage)

    judgement, _ = trial.decide(layer, test)
    if judgement.decision is Decision.HOLDS and _mirrored(
        next(trial.draws.stacks(layer, trial.dtype, "screen", 0, 1))[0]
    ):
        trial.note("some units are copies of others with opposite sign: an odd activation keeps them tied")
    _settle_ties(trial, layer, judgement, "draws", seen[-1] if seen else "no two units alike")


def gradients_never_tie(trial: Trial, layer: Layer) -> None:
    """Ask whether two hidden units of a network started so get equal first gradients in more than 1 of 1,000.

    One hidden layer of this shape and an output layer of 128 units or more, both drawn; contract's activation, normal
    data and targets, squared error, float64 NumPy. In the first hidden layer no unit is dead on 64 centred inputs.

    Raises:
        CaseFailed: they do.
    """

    def test(stage: Stage) -> Judgement:
        networks = 6 if not stage.confirms else 32
        layout = trial.subject.domain.layouts[0]
        gradients = first_gradients(trial.draws, trial.contract, layer, layout, stage.stream, networks)
        return _rare(map(_equal_rows, gradients), networks, stage)

    judgement, _ = trial.decide(layer, test)
    _settle_ties(
        trial,
        layer,
        judgement,
        "networks",
        "equal gradients" if judgement.measured else "all gradients differ",
    )


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


def may_tie(stack: Array) -> npt.NDArray[np.bool_]:
    """Whether a call may have a zero row or two equal rows, by the first 8 bytes of every row; shape (calls,).

    False is certain, and so is most of what a continuous law gives; ``tied_rows`` decides the rest.

    >>> may_tie(np.array([[[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [1.0, 3.0]]])).tolist()
    [False, True]
    """
    size = stack.dtype.itemsize
    start = stack[:, :, : max(1, 8 // size)]
    bits = np.ascontiguousarray(start + stack.dtype.type(0)).view(
        np.uint64 if start.shape[2] * size == 8 else np.uint32
    )
    ordered = np.sort(bits[:, :, 0], axis=1)
    return np.asarray(np.any(ordered[:, 1:] == ordered[:, :-1], axis=1) | (ordered[:, 0] == 0))


def _mirrored(matrix: Array) -> bool:
    """Whether some row is the negative of another: rows tie once each is turned to a positive first weight."""
    signs = np.sign(matrix[np.arange(len(matrix)), (matrix != 0).argmax(axis=1)])[:, None]
    return tied_rows(matrix * signs) is not None


def _equal_rows(gradient: Array) -> bool:
    """Whether two rows agree to rounding, measured by the largest row; or two rows are zero."""
    sizes = np.abs(gradient).max(axis=1)
    if not sizes.max() > 0:
        return len(sizes) > 1
    rows = gradient / sizes.max()
    probe = np.random.Generator(np.random.PCG64(7)).standard_normal(rows.shape[1])
    order = np.argsort(rows @ probe)
    return bool(np.any(np.abs(rows[order[1:]] - rows[order[:-1]]).max(axis=1) < 1e-11))


def _rare(events: Any, calls: int, stage: Stage) -> Judgement:
    """Judge a stream of events against 'rare': one is enough for a screen, the sign e-process for a confirmation."""
    found, seen = 0, 0
    for event in events:
        seen += 1
        found += bool(event)
        log_e = float(rare_log_e(found, seen)) if found else 0.0
        if found and (not stage.confirms or log_e >= -math.log(stage.level)):
            return Judgement(Decision.FAILS, log_e / math.log(10), stage.level, found / seen, 1, seen)
    decision = Decision.UNDECIDED if stage.confirms else Decision.HOLDS
    return Judgement(decision, -math.log10(stage.beta), stage.beta, found / max(seen, 1), 1, seen)


def _settle_ties(trial: Trial, layer: Layer, judgement: Judgement, what: str, words: str) -> None:
    share = judgement.measured
    measured = f"{words}, in {share:.0%} of {judgement.groups} {what}" if share else words
    trial.settle(layer, judgement, judgement.groups, measured=measured, allowed=f"at most 1 in 1,000 {what}")
    drawn = sum(e.calls for e in trial.decided)
    trial.note(f"a tie in {excluded_rate(drawn, trial.beta):.2g} of the {what} or more is excluded", topic="rate")
