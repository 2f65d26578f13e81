"""The marginal law of the weights: normal, uniform, truncated, sparse, ..., whatever their scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from initcheck.contract.standard_laws import truncated_moments
from initcheck.statistics.tail import hill

Array = npt.NDArray[np.float64]
_FLAT = 1.8  # the kurtosis of a uniform


@dataclass(frozen=True)
class Family:
    """The marginal law of the weights.

    Attributes:
        name: ``normal``, ``uniform``, ``truncated_normal``, ``sparse``, ``orthogonal``, ...; ``unknown``.
        text: the same in words.
        parameter: where it is cut (in standard deviations of the uncut normal), the density of a sparse one,
            the number of levels, the tail index; None where there is none.
        kurtosis: E w^4 / (E w^2)^2 of the centred weights; NaN where there are no weights to read.
        share: E w^2 as a fraction of what it would be without the truncation, the clipping or the sparsity.
    """

    name: str
    text: str
    parameter: float | None = None
    kurtosis: float = math.nan
    share: float = 1.0

    @property
    def is_uniform(self) -> bool:
        """Whether it is flat between its ends: a uniform, or whole numbers of a range."""
        flat = self.name == "quantised" and abs(self.kurtosis - _FLAT) < 0.05
        return self.name == "uniform" or flat

    def __str__(self) -> str:
        return self.text


def family_of(draws: Sequence[Array]) -> Family:
    """Name the marginal law of draws of 256 weights or more.

    The first that fits is named, in the order of RECOGNITION 2.2: degenerate, orthogonal, few levels, sparse,
    one-sided, bounded, heavy, normal.

    >>> family_of([np.random.default_rng(0).uniform(-1, 1, (64, 64))]).name
    'uniform'

    Args:
        draws: finite arrays; each is scaled by its own rms, so that they may come from different shapes.
    """
    large = [a for a in sorted(draws, key=lambda a: -a.size) if a.size >= 256]
    if not large:
        return Family("unknown", "no draw of 256 weights to read")
    found = _degenerate(large)
    if found is not None:
        return found
    # Divided by their largest entry first, so that no square of a huge or tiny weight leaves float64.
    large = [a / np.abs(a).max() for a in large if a.any()]
    return _orthogonal(large) or _discrete(large) or _continuous(large)


def _degenerate(draws: Sequence[Array]) -> Family | None:
    if not any(a.any() for a in draws):
        return Family("zero", "every weight is zero")
    if all(float(a.min()) == float(a.max()) for a in draws):
        values = {float(a.flat[0]) for a in draws if a.shape == draws[0].shape}
        if len(values) > 1:
            return Family("one-number", "one random number fills the whole tensor")
        return Family("constant", f"every weight is {draws[0].flat[0]:.4g}")
    return None


def _orthogonal(draws: Sequence[Array]) -> Family | None:
    if are_orthogonal(draws):
        return Family("orthogonal", "an orthogonal matrix")
    return None


def are_orthogonal(draws: Sequence[Array]) -> bool:
    """Whether the Gram matrix of the smaller side of every one of them is a multiple of the identity.

    >>> are_orthogonal([np.eye(3, 5)]), are_orthogonal([np.ones((3, 5))])
    (True, False)
    >>> are_orthogonal([np.random.default_rng(0).normal(size=(3, 3, 16, 1))])  # a depthwise kernel: 16 units of one row
    False
    """
    asked = 0
    for a in draws:
        if a.size > 20_000:  # the Gram matrix of a small one says the same, sooner
            continue
        views = [a.reshape(a.shape[0], -1), a.reshape(-1, a.shape[-1])][: 1 if a.ndim == 2 else 2]
        # One row is orthogonal to nothing, and says nothing: so are the kernels of a depthwise convolution.
        sides = [v if v.shape[0] <= v.shape[1] else v.T for v in views if min(v.shape) > 1]
        asked += len(sides)
        if sides and not any(map(_is_orthogonal, sides)):
            return False
        if asked >= 6:
            break
    return asked > 0


def _is_orthogonal(rows: Array) -> bool:
    gram = rows @ rows.T
    scale = float(np.trace(gram)) / len(gram)
    return scale > 0 and float(np.abs(gram - scale * np.eye(len(gram))).max()) < 2e-3 * scale


def _discrete(draws: Sequence[Array]) -> Family | None:
    first = draws[0]
    levels = len(np.unique(first.ravel()[:40_000]))
    read = min(first.size, 40_000)
    zeros = float(np.mean([np.mean(a == 0) for a in draws if a.size >= first.size / 4]))
    if levels > 16 and not (levels <= 512 and levels < read / 64) and zeros <= 0.02:
        return None
    kurtosis = _kurtosis(_scaled(draws))
    if levels == 2:
        return Family("rademacher", "two levels", 2, kurtosis, 1.0)
    if levels <= 16:
        share = 1 - zeros if levels == 3 and zeros > 0.02 else 1.0
        return Family("levels", f"{levels} levels", levels, kurtosis, share)
    if levels <= 512 and levels < read / 64:
        return Family("quantised", f"a grid of {levels} levels", levels, kurtosis)
    density = 1 - zeros
    return Family("sparse", f"sparse, {100 * density:.3g} % of the weights not zero", density, kurtosis, density)


def _continuous(draws: Sequence[Array]) -> Family:
    values = _scaled(draws)
    mean = float(values.mean())
    if (values >= 0).all() or (values <= 0).all():
        return _one_sided(values, abs(mean))
    centred = values - mean
    centred /= math.sqrt(float(np.mean(centred * centred)))
    size = np.abs(centred)
    largest = float(size.max())
    kurtosis = float(np.mean(np.square(centred * centred)))
    first = np.abs(draws[0])  # one draw alone: its edge is not blurred by the rms of the others
    at_edge = float(np.mean(first >= first.max() * (1 - 1e-6)))
    if at_edge > 0.005:
        text = f"cut at its edges, where {100 * at_edge:.2g} % of the weights lie"
        return Family("clipped", text, at_edge, kurtosis, _clipped_variance(at_edge))
    if abs(kurtosis - _FLAT) < 0.05 and largest < math.sqrt(3) * 1.03:
        return Family("uniform", "a uniform", None, kurtosis)
    if abs(kurtosis - 2.4) < 0.06 and abs(largest - math.sqrt(6)) < 0.035:
        return Family("triangular", "a triangular law", None, kurtosis)
    cut = _cut_from_edge(float(first.max()) / math.sqrt(float(np.mean(first * first))))
    if cut is not None and abs(kurtosis - _truncated_kurtosis(cut)) < 0.06:
        text = f"a normal truncated at {cut:g} sigma"
        return Family("truncated_normal", text, cut, kurtosis, truncated_moments(-cut, cut)[1])
    return _outliers(draws, kurtosis) or _tailed(size, kurtosis)


def _clipped_variance(at_edge: float) -> float:
    """Variance of a standard normal of which so large a part is clipped to +-c."""
    if at_edge >= 1:
        return 1.0
    cut = NormalDist().inv_cdf(1 - at_edge / 2)
    return (1 - at_edge) * truncated_moments(-cut, cut)[1] + at_edge * cut**2


def _one_sided(values: Array, mean: float) -> Family:
    kurtosis = _kurtosis(values)
    if abs(mean - 0.866) < 0.02 and float(np.abs(values).max()) < math.sqrt(3) * 1.03:
        return Family("one-sided-uniform", "a uniform on [0, b)", None, kurtosis)
    if abs(mean - 0.798) < 0.02:
        return Family("half-normal", "the absolute value of a normal", None, kurtosis)
    return Family("one-sided", "weights of one sign", None, kurtosis)


def _outliers(draws: Sequence[Array], kurtosis: float) -> Family | None:
    # By the median of each draw: its rms would hang on whether a far value fell into it.
    sizes = []
    for a in draws:
        if a.size >= min(4096, draws[0].size):
            size = np.abs(a.ravel())
            middle = float(np.median(size)) / 0.6745
            if middle > 0:
                sizes.append(size / middle)
    pooled = np.concatenate(sizes) if sizes else np.zeros(1)
    far = int(np.sum(pooled > 8))
    between = int(np.sum((pooled > 5.5) & (pooled <= 8)))
    if not 2 <= far < 0.02 * len(pooled) or between >= 0.2 * far:
        return None
    text = f"1 weight in {round(len(pooled) / far):,} lies beyond 8 standard deviations of the rest"
    return Family("outliers", text, far / len(pooled), kurtosis)


def _tailed(size: Array, kurtosis: float) -> Family:
    index, _ = hill(size)
    if index < 2.3:
        return Family("no-variance", f"a tail of index {index:.2g}, which has no variance", index, kurtosis)
    spread = float(np.mean(size))  # E|w| / rms: 1/sqrt(2) of a Laplace, 2 ln 2 sqrt(3)/pi of a logistic law
    if abs(spread - math.sqrt(0.5)) < 0.008 and abs(kurtosis - 6) < 1:
        return Family("laplace", "a Laplace law", None, kurtosis)
    if abs(spread - 0.7643) < 0.006 and abs(kurtosis - 4.2) < 0.35:
        return Family("logistic", "a logistic law", None, kurtosis)
    if index < 4.5 or kurtosis > 3.6:
        return Family("heavy-tail", f"a heavy tail, of index {index:.2g} and kurtosis {kurtosis:.3g}", index, kurtosis)
    if abs(kurtosis - 3) < 0.15:
        return Family("normal", "a normal", None, kurtosis)
    return Family("unknown", f"a law of kurtosis {kurtosis:.3g}", None, kurtosis)


def _scaled(draws: Sequence[Array]) -> Array:
    # The largest draws are enough: a rms of few weights would blur the edges of a bounded law.
    kept = [a for a in draws if a.size >= min(4096, draws[0].size)]
    return np.concatenate([a.ravel() / math.sqrt(float(np.mean(a * a))) for a in kept])


def _kurtosis(values: Array) -> float:
    centred = values - values.mean()
    squares = centred * centred
    second = float(np.mean(squares))
    return float(np.mean(squares * squares)) / second**2 if second > 0 else math.nan


_CUTS = np.linspace(0.7, 3.3, 131)
_EDGES = np.array([c / math.sqrt(truncated_moments(-c, c)[1]) for c in _CUTS])


def _cut_from_edge(edge: float) -> float | None:
    if not _EDGES[0] <= edge <= _EDGES[-1]:
        return None
    # The edge grows slowly with the cut, so a usual cut is taken wherever its edge is within 1 %.
    usual = (c for c in (1.0, 1.5, 2.0, 2.5, 3.0) if abs(edge / np.interp(c, _CUTS, _EDGES) - 1) < 0.01)
    return next(usual, round(float(np.interp(edge, _EDGES, _CUTS)), 2))


def _truncated_kurtosis(cut: float) -> float:
    # E z^4 of a standard normal cut at +-c is 3 E z^2 - 2 c^3 phi(c) / (2 Phi(c) - 1), by parts.
    density = math.exp(-cut * cut / 2) / math.sqrt(2 * math.pi)
    second = truncated_moments(-cut, cut)[1]
    return (3 * second - 2 * cut**3 * density / math.erf(cut / math.sqrt(2))) / second**2
