"""How often the decision rules err at inflated error rates, on the edge where they err most: counts with exact bounds.

    nice -n 10 python tests/long/statistics/alarms_on_the_edge.py --runs 10000

What a run may err in is 10^-6, which no count of runs can show. But a rule errs at a rate a where its e-process ever
reaches 1/a, whatever a is: so it is counted at 0.2, 0.05 and 0.01, looked at after every group. An error counts if the
process ever crosses. 'at most' is the exact upper bound of Clopper and Pearson on the rate, at confidence 95 %.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import stats

from initcheck.statistics import (
    average_log_e,
    band_paths,
    log_e,
    rare_log_e,
    rarely_top_log_e,
    shares_log_e,
    tops_log_e,
)
from initcheck.statistics.mean_bets import signed_log_e
from initcheck.statistics.permutation import CALLS_A_BATCH, Positions, position_tops

Floats = npt.NDArray[np.float64]
Rule = Callable[[np.random.Generator, int], Floats]
LEVELS = (0.2, 0.05, 0.01)
LO, HI = 0.8, 1.25
_TOGETHER = 500

# Mean squares of calls of 16 weights, of mean 1.
CALLS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Floats]] = {
    "normal": lambda rng, shape: rng.chisquare(16, shape) / 16,
    "uniform": lambda rng, shape: 3 * np.square(rng.uniform(-1, 1, (*shape, 16))).mean(axis=-1),
    "nine in ten zero": lambda rng, shape: rng.chisquare(np.maximum(rng.binomial(16, 0.1, shape), 1e-9)) / 1.6,
    "Student's t, 5": lambda rng, shape: 0.6 * np.square(rng.standard_t(5, (*shape, 16))).mean(axis=-1),
    "a gain a call": lambda rng, shape: np.exp(rng.normal(0, 0.5, shape) - 0.125) * rng.chisquare(16, shape) / 16,
}


def band(law: str, edge: float) -> Rule:
    """FAILS of a second moment on an edge, by bets on 240 groups of 16 calls, after 200 calls from below."""

    def rule(rng: np.random.Generator, runs: int) -> Floats:
        calls = edge * CALLS[law](rng, (runs, 240 * 4)).reshape(runs, 240, 4).mean(axis=2)
        paths = band_paths(calls, np.ones_like(calls), LO, HI, mean_statistic=True)
        below = paths.below.copy()
        below[..., : 200 // 4 // 8] = -np.inf
        return np.asarray(np.logaddexp(below, paths.above) - math.log(2.0)).max(axis=-1)

    return rule


def held(law: str, edge: float) -> Rule:
    """HOLDS of a second moment on an edge, by signs of groups of 256 weights."""

    def rule(rng: np.random.Generator, runs: int) -> Floats:
        groups = edge * CALLS[law](rng, (runs, 240 * 16)).reshape(runs, 240, 16).mean(axis=2)
        return np.asarray(band_paths(groups, np.ones_like(groups), LO, HI).holds).max(axis=-1)

    return rule


def shares(units: int, side: str) -> Rule:
    """FAILS of units of which the first has just as much of the energy as is allowed."""

    def rule(rng: np.random.Generator, runs: int) -> Floats:
        lo, hi = 0.5 / units, 2.0 / units
        of_first = lo if side == "below" else hi
        found = []
        for _ in range(runs):
            scale = np.full(units, (1 - of_first) / (units - 1))
            scale[0] = of_first
            gamma = rng.gamma(8.0 * scale * units, size=(256, units))  # Dirichlet: the means are the scales, exactly
            found.append(float(shares_log_e(gamma / gamma.sum(axis=1, keepdims=True), lo, hi).against.max()))
        return np.array(found)

    return rule


def shuffles(rng: np.random.Generator, runs: int) -> Floats:
    """FAILS of independent entries, each of a scale of its own, by shuffles of every position."""
    n, found = np.arange(1, 41), []
    for _ in range(runs):
        scales = np.linspace(0.01, 5, 36).reshape(6, 6)
        positions = Positions.learnt(rng.normal(size=(60, 6, 6)) * scales)
        calls = (rng.normal(size=(40 * CALLS_A_BATCH, 6, 6)) * scales).reshape(40, CALLS_A_BATCH, 6, 6)
        tops = position_tops(calls, positions, rng)
        found.append(float(average_log_e(list(tops_log_e(np.cumsum(tops, axis=1), n))).max()))
    return np.array(found)


def events(log_e_of: Callable[[Floats, Floats], Floats], rate: float, trials: int) -> Rule:
    """An event at its largest allowed rate."""
    return lambda rng, runs: np.asarray(
        log_e_of(np.cumsum(rng.random((runs, trials)) < rate, axis=1), np.arange(1, trials + 1))
    ).max(axis=1)


def centred(draw: Callable[[np.random.Generator, int], Floats]) -> Rule:
    """FAILS of a mean of exactly zero, upwards, after 2,000 values."""
    return lambda rng, runs: np.array([float(signed_log_e(draw(rng, 2_000), 0.0)[-1]) for _ in range(runs)])


RULES: dict[str, tuple[Rule, float]] = {
    **{f"FAILS at {e} by bets, {law}": (band(law, e), 1.0) for law in CALLS for e in (LO, HI)},
    **{f"HOLDS at {e} by signs, {law}": (held(law, e), 1.0) for law in list(CALLS)[:4] for e in (LO, HI)},
    "FAILS of depth, half of the networks beyond": (events(lambda k, n: log_e(k, n, 0.5), 0.5, 400), 1.0),
    "FAILS of ties at 1 in 1,000": (events(rare_log_e, 1e-3, 2_000), 1.0),
    "HOLDS of what tops its shuffles in half": (events(rarely_top_log_e, 0.5, 96), 1.0),
    "FAILS of a unit with half its share": (shares(8, "below"), 0.1),
    "FAILS of a unit with twice its share": (shares(8, "above"), 0.1),
    "FAILS of mean zero, exponential": (centred(lambda rng, n: rng.exponential(1, n) - 1), 1.0),
    "FAILS of mean zero, mirrored": (centred(lambda rng, n: 1 - rng.exponential(1, n)), 1.0),
    "FAILS of independence, a scale a position": (shuffles, 0.05),
}


def main() -> None:
    """Print a line a rule."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000, help="of the cheap rules; the dear ones have a share")
    parser.add_argument("--only", default="", help="rules whose name contains this")
    asked = parser.parse_args()
    print(f"{'rule':48} {'runs':>6}  " + "  ".join(f"at {a:4}: errors (at most)" for a in LEVELS))
    for number, (name, (rule, share)) in enumerate(RULES.items()):
        if asked.only not in name:
            continue
        rng = np.random.default_rng([13, number])
        runs = max(1, round(asked.runs * share))
        pieces = [rule(rng, min(_TOGETHER, runs - start)) for start in range(0, runs, _TOGETHER)]
        reached = np.concatenate(pieces)
        counts = [int((reached >= -math.log(a)).sum()) for a in LEVELS]
        bounds = [float(stats.beta.ppf(0.95, k + 1, runs - k)) for k in counts]
        cells = (f"{k:15} ({b:7.4f})" for k, b in zip(counts, bounds, strict=True))
        print(f"{name:48} {runs:6}  " + "  ".join(cells), flush=True)


if __name__ == "__main__":
    main()
