"""Expectations under a standard normal, on panels that are halved where a function is not smooth enough for them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_NODES = 20
_EDGE = 13.0  # what lies beyond weighs 1e-37
_HALF = 0.25  # of the width of a panel that nobody has halved
_DEEPEST = 44  # halvings: a panel of 10^-14
_MOST = 4_000  # panels in one round: a function that no panel resolves is noise
_TOLERANCE = 1e-13
_A_KINK = 12  # halvings that smooth functions do not need


@dataclass(frozen=True)
class GaussianGrid:
    """Nodes and weights on which a function and its square are integrated against the standard normal density.

    >>> grid = gaussian_grid(lambda z: np.abs(z - 0.3)[None])
    >>> round(grid.mean(np.abs(grid.z - 0.3) ** 2), 9), [round(k, 3) for k in grid.kinks]
    (1.09, [0.3])

    Attributes:
        z: nodes, ascending.
        weight: their weights, the density included; their sum is 1.
        error: the largest estimated error of an integral, relative to the integral of the magnitude.
        kinks: where the function or its slope jumps.
    """

    z: Array
    weight: Array
    error: float
    kinks: tuple[float, ...] = ()

    def mean(self, values: Array) -> float:
        """E g(z) of the values that g takes at the nodes."""
        # Rounded past what the nodes can give, so that 1/2 comes out as 0.5 and not as 0.5000000000000002.
        return round(math.fsum(self.weight * values), 15)

    def share_beyond(self, values: Array, limit: float) -> float:
        """Which share of E |g(z)| the inputs beyond +-limit carry."""
        parts = self.weight * np.abs(values)
        total = float(parts.sum())
        return float(parts[np.abs(self.z) > limit].sum()) / total if total > 0 else 0.0


def gaussian_grid(values: Callable[[Array], Array], *, rounding: float = 2.0**-53) -> GaussianGrid:
    """Find the panels on which Gauss-Legendre rules of 20 nodes integrate all of some functions.

    Panels begin at half a unit, with an edge at 0. One of which the rule and the rule on its halves disagree by more
    than 10^-13 of the whole is halved; around a kink that goes on until nothing is left to gain. Where no more than
    the first panels are asked for, the nodes are the same for every function.

    Args:
        values: the functions at points of shape (n,), as an array of shape (functions, n); finite.
        rounding: relative error of a value: less than that cannot be asked of the panels.
    """
    tolerance = max(_TOLERANCE, 8 * rounding if rounding > _TOLERANCE else 0.0)
    left = np.arange(-_EDGE / (2 * _HALF), _EDGE / (2 * _HALF)) * (2 * _HALF)
    half = np.full(len(left), _HALF)
    depth = np.zeros(len(left), dtype=int)
    kept: list[tuple[Array, Array]] = []
    kinks: list[tuple[float, int]] = []
    error = 0.0
    scale: Array | None = None
    while len(left):
        whole, at = _integrals(values, left, half)
        first, _ = _integrals(values, left, half / 2)
        second, _ = _integrals(values, left + half, half / 2)
        if scale is None:
            scale = np.maximum(np.abs(whole).sum(axis=1), 1e-300)
        off = (np.abs(whole - first - second) / scale[:, None]).max(axis=0)
        done = (off <= tolerance) | (depth >= _DEEPEST)
        if len(left) > _MOST:
            done[:] = True
        error += float(off[done].sum())
        kept += [at_panel for at_panel, is_done in zip(at, done, strict=True) if is_done]
        narrow = done & (depth >= _A_KINK)
        kinks += zip((left + half)[narrow].tolist(), depth[narrow].tolist(), strict=True)
        left, half, depth = left[~done], half[~done] / 2, depth[~done] + 1
        left, half, depth = np.concatenate([left, left + 2 * half]), np.tile(half, 2), np.tile(depth, 2)
    kept.sort(key=lambda panel: float(panel[0][0]))
    return GaussianGrid(
        np.concatenate([z for z, _ in kept]), np.concatenate([w for _, w in kept]), error, _apart(kinks)
    )


@functools.cache
def _rule() -> tuple[Array, Array]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes, weights


def _integrals(values: Callable[[Array], Array], left: Array, half: Array) -> tuple[Array, list[tuple[Array, Array]]]:
    """The integrals of all functions over panels, (functions, panels), and nodes and weights of each panel."""
    nodes, weights = _rule()
    z = left[:, None] + half[:, None] + half[:, None] * nodes
    density = half[:, None] * weights * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    found = np.asarray(values(z.ravel()), dtype=np.float64).reshape(-1, *z.shape)
    return (found * density).sum(axis=2), list(zip(z, density, strict=True))


def _apart(kinks: list[tuple[float, int]]) -> tuple[float, ...]:
    """One place for the panels that lie about a kink, the narrowest; a function that is nowhere smooth has none."""
    if len(kinks) > 400:
        return ()
    places: list[tuple[float, int]] = []
    for kink, depth in sorted(kinks):
        if not places or kink - places[-1][0] > 1e-3:
            places.append((kink, depth))
        elif depth > places[-1][1]:
            places[-1] = kink, depth
    return tuple(kink for kink, _ in places)
