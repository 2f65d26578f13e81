"""Structure inside one result: a draw ranked among random permutations of its own entries."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from initcheck.contract.layer import Layer
from initcheck.draws.draws import BrokenCall
from initcheck.engine.trial import Stage, Trial
from initcheck.seeds import generator
from initcheck.statistics import (
    SHUFFLES,
    Decision,
    Judgement,
    average_log_e,
    rarely_top_log_e,
    tops,
    tops_log_e,
)

__all__ = ["STATISTICS", "beats_no_shuffle"]

Array = npt.NDArray[np.float64]

_LEARNING = 150
_PAIRS = 64
_BATCH = 16

STATISTICS = (
    "row means",
    "column means",
    "row energies",
    "column energies",
    "row Gram matrix",
    "column Gram matrix",
    "neighbours along a row",
    "neighbours down a column",
    "two rows",
    "two columns",
    "pairs of weights",
    "pairs of magnitudes",
    "row energies too equal",
    "column energies too equal",
)


def beats_no_shuffle(trial: Trial, layer: Layer) -> None:
    """Ask whether a draw of this layer looks like a random permutation of its own entries.

    A draw is here the difference of two calls: a mean that differs by position is no dependence, and cancels.
    A draw's statistic is strictly the largest among itself and 19 shuffles with probability at most 1/20 where the
    entries are exchangeable, for any law. HOLDS: every statistic tops its shuffles in less than half the calls.

    Raises:
        CaseFailed: some statistic tops its shuffles too often.
    """
    pairs = trial.once(f"pairs {layer.shape}", lambda: _most_correlated(trial, layer))

    def test(stage: Stage) -> Judgement:
        most = 96 if not stage.confirms else 192
        top = np.zeros((len(STATISTICS), 0), dtype=bool)
        decision, log_e = Decision.UNDECIDED, 0.0
        rng = generator(trial.subject.seed, "shuffles", layer.shape, stage.stream)
        while top.shape[1] < most and decision is Decision.UNDECIDED:
            start = 2 * top.shape[1]
            stacks = trial.draws.stacks(layer, trial.dtype, f"entries {stage.stream}", start, start + 2 * _BATCH)
            calls = np.concatenate(list(stacks)).astype(np.float64)
            if not np.isfinite(calls).all():
                raise BrokenCall("finite", "a weight is not finite")
            top = np.concatenate([top, _tops(calls[0::2] - calls[1::2], pairs, rng)], axis=1)
            n = np.arange(1, top.shape[1] + 1)
            k = np.cumsum(top, axis=1)
            log_e = float(average_log_e(list(tops_log_e(k, n)))[_BATCH - 1 :: _BATCH].max())
            if log_e >= -math.log(stage.level):
                decision = Decision.FAILS
            elif not stage.confirms:
                inside = float(rarely_top_log_e(k[:, -1], n[-1]).min())
                if inside >= -math.log(stage.beta):
                    decision, log_e = Decision.HOLDS, inside
        share = top.mean(axis=1)
        worst.append((STATISTICS[int(share.argmax())], float(share.max())))
        spent = stage.beta if decision is Decision.HOLDS else stage.level
        used = top.shape[1]
        return Judgement(decision, log_e / math.log(10), spent, float(share.max()), used // _BATCH, used)

    worst: list[tuple[str, float]] = []
    judgement, _ = trial.decide(layer, test)
    name, share = worst[-1]
    trial.settle(
        layer,
        judgement,
        2 * judgement.groups,
        measured=f"{name}: tops 19 shuffles of its own entries in {share:.0%} of the calls",
        allowed="5 % by chance",
        value=share,
    )


def _tops(
    calls: Array, pairs: tuple[npt.NDArray[np.intp], Array, Array], rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Which statistic of which call is strictly larger than those of its shuffles, (statistics, calls)."""
    count, units, inputs = calls.shape
    flat = calls.reshape(count, -1)
    scale = np.sqrt(np.mean(flat * flat, axis=1, keepdims=True))
    flat = np.divide(flat, scale, out=np.zeros_like(flat), where=scale > 0)
    both = np.repeat(flat[:, None, :], SHUFFLES + 1, axis=1)
    both[:, 1:] = rng.permuted(both[:, 1:], axis=2)
    values = _statistics(both.reshape(count, SHUFFLES + 1, units, inputs), pairs)
    # Rounding must not decide between a value and its own copy: sums of permuted entries differ in the last bits.
    values = np.round(values, 9)
    return np.stack([tops(v[:, 0], v[:, 1:]) for v in values])


def _statistics(w: Array, pairs: tuple[npt.NDArray[np.intp], Array, Array]) -> Array:
    """The statistics of STATISTICS, each (calls, draws), large where there is structure.

    Draw 0 of a call is the call, the others are its shuffles: they share its mean and its mean magnitude.
    """
    energies = w * w
    centred = w - w[:, :1].mean(axis=(2, 3), keepdims=True)
    sideways = centred.swapaxes(2, 3)
    row_gram = _off_diagonal(centred @ sideways)
    column_gram = _off_diagonal(sideways @ centred)
    index, signs, size_signs = pairs
    row_energies = energies.mean(axis=3).var(axis=2)
    column_energies = energies.mean(axis=2).var(axis=2)
    flat = centred.reshape(*w.shape[:2], -1)
    mean_size = np.abs(flat[:, :1]).mean(axis=2, keepdims=True)
    entries = [flat.take(at, axis=2) for at in index]
    sizes = [np.abs(entry) - mean_size for entry in entries[2:]]
    return np.stack(
        [
            w.mean(axis=3).var(axis=2),
            w.mean(axis=2).var(axis=2),
            row_energies,
            column_energies,
            _sum_of_products(row_gram, row_gram),
            _sum_of_products(column_gram, column_gram),
            np.abs(_sum_of_products(centred[..., 1:], centred[..., :-1])),
            np.abs(_sum_of_products(centred[..., 1:, :], centred[..., :-1, :])),
            _largest_size(row_gram),
            _largest_size(column_gram),
            (entries[0] * entries[1]) @ signs,
            (sizes[0] * sizes[1]) @ size_signs,
            # Rows of one length, as of points on a sphere or of a fixed number of zeros.
            -row_energies,
            -column_energies,
        ]
    )


def _sum_of_products(a: Array, b: Array) -> Array:
    return np.asarray(np.einsum("cdij,cdij->cd", a, b))


def _largest_size(gram: Array) -> Array:
    return np.asarray(np.maximum(gram.max(axis=(2, 3)), -gram.min(axis=(2, 3))))


def _off_diagonal(gram: Array) -> Array:
    at = np.arange(gram.shape[-1])
    gram[..., at, at] = 0.0
    return gram


def _most_correlated(trial: Trial, layer: Layer) -> tuple[npt.NDArray[np.intp], Array, Array]:
    """The pairs of entries that correlate most over a first sample, for w and for |w|, with their signs."""
    stacks = trial.draws.stacks(layer, trial.dtype, "entries first look", 0, _LEARNING)
    sample = np.concatenate(list(stacks)).reshape(_LEARNING, -1).astype(np.float64)
    found, signs = [], []
    for values in (sample, np.abs(sample)):
        values = values - values.mean(axis=0)
        deviation = values.std(axis=0)
        values = np.divide(values, deviation, out=np.zeros_like(values), where=deviation > 0)
        correlation = values.T @ values
        first, second = _largest_pairs(np.abs(correlation))
        found += [first, second]
        signs.append(np.sign(correlation[first, second]))
    return np.stack(found), signs[0], signs[1]


def _largest_pairs(strength: Array) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Row and column, row < column, of the 64 largest entries of a symmetric matrix, largest first."""
    np.fill_diagonal(strength, -1.0)
    largest = np.sort(strength.max(axis=1))
    # A pair is the largest of two rows at most: this many rows hold 64 pairs, and few lie above the least of these.
    least = largest[-2 * _PAIRS] if len(largest) >= 2 * _PAIRS else 0.0
    first, second = np.divmod(np.flatnonzero(strength >= least), len(strength))
    first, second = first[first < second], second[first < second]
    best = np.argsort(-strength[first, second], kind="stable")[:_PAIRS]
    return first[best], second[best]
