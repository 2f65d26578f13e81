"""What the calls of one side seem to be: the law of an entry, of its variance, and what entries know of one another."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.contract.layer import Layer
from initcheck.diagnosis.evidence.entries import Dependence, dependence_of
from initcheck.diagnosis.evidence.formulas import number, variance_text
from initcheck.diagnosis.evidence.marginal_law import Family, family_of
from initcheck.diagnosis.evidence.probe import Probe
from initcheck.diagnosis.evidence.variance_law import LawSample, VarianceLaw, fit_laws

Array = npt.NDArray[np.float64]

# Of so many calls a shape the law is read: what a sentence says needs no more.
_MOST_CALLS = 128
# Of so many calls it is counted how often a number stands in its call.
_COUNTED = 8
# Bins of a picture of both laws, and the share of weights at either end that it leaves out.
_BINS, _SHARE = 48, 0.001


@dataclass(frozen=True)
class Side:
    """One of two starts, as its calls show it.

    Attributes:
        calls: layer -> calls as matrices, (calls, units, inputs), finite and not.
        tensors: how many lie one under another in each; they may be of several sizes.
    """

    calls: Mapping[Layer, Array]
    tensors: int = 1

    @functools.cached_property
    def _finite(self) -> dict[Layer, Array]:
        kept = {layer: np.asarray(w[:_MOST_CALLS], dtype=np.float64) for layer, w in self.calls.items()}
        return {layer: w for layer, w in kept.items() if np.isfinite(w).all()}

    @functools.cached_property
    def not_finite(self) -> float:
        """The share of weights that are NaN or infinite."""
        entries = sum(w.size for w in self.calls.values())
        return 1 - sum(int(np.isfinite(w).sum()) for w in self.calls.values()) / entries if entries else 0.0

    @functools.cached_property
    def is_one_call(self) -> bool:
        """Whether all calls are one, and its numbers are many: no table of ones and zeros, which is meant."""
        several = [w for w in self.calls.values() if len(w) > 1]
        same = all(np.array_equal(w, np.broadcast_to(w[:1], w.shape), equal_nan=True) for w in several)
        return bool(several) and same and all(2 * np.unique(w[0]).size > w[0].size for w in several)

    @functools.cached_property
    def family(self) -> Family:
        """The marginal law; of small shapes several calls are read together."""
        values = {float(v) for w in self._finite.values() for v in (w.min(), w.max())}
        if len(values) == 1:  # however few weights there are
            [value] = values
            return (
                Family("constant", f"every weight is {value:.4g}") if value else Family("zero", "every weight is zero")
            )
        # Whole shapes: the edge of a law is read against the root mean square, which few weights would blur.
        parts = [part for w in self._finite.values() for part in np.split(w, self.tensors, axis=1)]
        if min((part.size for part in parts), default=0) < 256:
            parts = list(self._finite.values())
        # Calls laid one under another are no orthogonal matrix any more.
        single = [w for layer in self._finite for w in self._finite[layer][:3] if min(w.shape) >= 3]
        own = family_of(single) if single else None
        if own is not None and own.name in ("orthogonal", "zero", "constant", "one-number"):
            return own
        found = family_of([w.reshape(-1, w.shape[2]) for w in parts if w.size >= 256])
        return Family("unknown", "random numbers") if found.name == "unknown" else found

    def second_moment(self, layer: Layer) -> tuple[float, float]:
        """E w^2 at a layer, and its standard error between calls, relative to it; NaN where calls are not finite."""
        if layer not in self._finite:
            return math.nan, math.inf
        each = np.square(self._finite[layer]).mean(axis=(1, 2))
        mean = float(each.mean())
        return mean, float(each.std()) / mean / math.sqrt(len(each)) if mean > 0 else 1.0

    @functools.cached_property
    def samples(self) -> list[LawSample]:
        """One second moment a shape."""
        return [LawSample(layer, *self.second_moment(layer), w.size) for layer, w in self._finite.items()]

    @functools.cached_property
    def law(self) -> VarianceLaw | None:
        """The law of the variance; None where none fits every shape but one."""
        laws = fit_laws(self.samples)
        fitting = [law for law in laws if not law.exceptions]
        if fitting:
            return min(fitting, key=lambda law: not law.denominator.is_plain)
        return laws[0] if laws and len(laws[0].exceptions) <= len(self.samples) // 5 else None

    @functools.cached_property
    def dependence(self) -> Dependence | None:
        """What entries of one call know of one another; None where they show nothing."""
        if self.family.name in ("orthogonal", "zero", "constant", "one-number"):
            return None
        draws = {w.shape[1:]: tuple(w[:4]) for w in self._finite.values()}
        return dependence_of(Probe(draws), "out_in")

    @functools.cached_property
    def copies(self) -> float:
        """How often a number that is not zero stands in its call; 1 where calls share theirs, as on a grid.

        >>> drawn = np.random.default_rng(0).normal(size=(4, 1, 16))
        >>> [Side({Layer((1, 64)): w}).copies for w in (np.tile(drawn, 4), np.sign(np.tile(drawn, 4)))]
        [4.0, 1.0]
        """
        most = 1.0
        for w in self._finite.values():
            calls = [call[call != 0] for call in w[:_COUNTED]]
            each = sum(np.unique(call).size for call in calls)
            if len(calls) > 1 and np.unique(np.concatenate(calls)).size > 0.99 * each > 0:
                most = max(most, sum(call.size for call in calls) / each)
        return most

    @functools.cached_property
    def mean(self) -> float:
        """The mean over the root of the mean square."""
        means, squares = zip(*((float(w.mean()), float((w * w).mean())) for w in self._finite.values()), strict=True)
        ratios = [m / math.sqrt(s) if s > 0 else 0.0 for m, s in zip(means, squares, strict=True)]
        return float(np.mean(ratios))

    @property
    def mean_error(self) -> float:
        """The standard error of ``mean``, were the entries independent."""
        return 1 / math.sqrt(max(1, min((w.size for w in self._finite.values()), default=1)))

    @functools.cached_property
    def range(self) -> tuple[float, float]:
        """The least and the largest weight; two zeros where no call is finite."""
        ends = [(float(w.min()), float(w.max())) for w in self._finite.values()] or [(0.0, 0.0)]
        return min(low for low, _ in ends), max(high for _, high in ends)

    @functools.cached_property
    def energies(self) -> float:
        """By how much the size of calls varies beyond what their entries explain, as a relative deviation."""
        largest = max(self._finite.values(), key=lambda w: w[0].size)
        each = (largest * largest).mean(axis=(1, 2))
        return float(np.sqrt(each).std() / np.sqrt(each.mean())) if each.mean() > 0 else 0.0

    @property
    def variance(self) -> str:
        """``2/fan_in``, or a number at one shape."""
        if self.law is not None and len(self.samples) > 2:
            return self.formula(self.law)
        variance = self.samples[0].mean_square if self.samples else 0.0
        return number(variance) if variance > 0 else "0"

    @staticmethod
    def formula(law: VarianceLaw) -> str:
        """A law as a formula."""
        if law.denominator.name == "1":
            return number(law.constant)
        return variance_text(law.constant, law.denominator.fan or law.denominator.name)

    @property
    def words(self) -> str:
        """The side in words."""
        if not self._finite:
            return "weights that are not finite"
        if self.family.name in ("zero", "constant", "one-number"):
            return self.family.text
        text = f"{self.family.text}, variance {self.variance}"
        return text + (f", {self.dependence.name.replace('-', ' ')}" if self.dependence is not None else "")


def both_laws(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> dict[str, list[Any]]:
    """The series of a part that differs: both laws as shares of bins, the farthest weights left out.

    >>> rows = both_laws(np.zeros(100), np.linspace(-1, 1, 100))["two_histograms"]
    >>> len(rows), round(sum(row[2] for row in rows), 3)
    (48, 1.0)

    Args:
        a, b: weights of each, of any shape.
    """
    x, y = (np.asarray(w, dtype=np.float64).ravel() for w in (a, b))
    x, y = x[np.isfinite(x)], y[np.isfinite(y)]
    both = np.concatenate([x, y])
    if not x.size or not y.size:
        return {}
    low, high = np.quantile(both, [_SHARE, 1 - _SHARE])
    if not low < high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, _BINS + 1)
    counts = [np.histogram(np.clip(w, low, high), bins=edges)[0] / w.size for w in (x, y)]
    rows = zip(edges, edges[1:], *counts, strict=False)
    return {"two_histograms": [[float(f"{v:.5g}") for v in row] for row in rows]}
