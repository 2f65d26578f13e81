"""Weights until a wrong second moment is shown: the rule of a plan beside a confirmed screen, rows, and a bound.

    nice -n 10 python tests/long/power/weights_to_a_verdict.py --runs 9

`screen`: a look at 10^-2 and a confirmation on fresh calls at 10^-6. `plan`: bets from the first call on, at 10^-6
over 30 layers: what the engine does. `rows`: the same bets on the rows of a call beside those on the calls, at half the
level each; it assumes that rows are independent. `bound`: ln(30/10^-6)/KL, below which no rule comes, above the band,
whose only assumption is that calls are independent. Medians; calls are drawn from a pool of each law.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from initcheck.statistics import Decision, judge_band
from initcheck.statistics.mean_bets import above_log_e, below_log_e

Floats = npt.NDArray[np.float64]
LO, HI, ALPHA, LAYERS = 0.8, 1.25, 1e-6, 30
SIZES = (16, 64, 256, 1_024, 65_536)
FACTORS = (1.1, 1.5, 4.0, 100.0)
LAWS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Floats]] = {
    "normal": lambda rng, size: rng.standard_normal(size),
    "uniform": lambda rng, size: rng.uniform(-math.sqrt(3), math.sqrt(3), size),
    "sparse": lambda rng, size: rng.standard_normal(size) * (rng.random(size) < 0.1) * math.sqrt(10),
    "t5": lambda rng, size: rng.standard_t(5, size) * math.sqrt(0.6),
}
_MOST = 12_000_000


def pools(law: str, weights: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Mean squares of calls, and of their rows, shape (calls, rows)."""
    rows = math.isqrt(weights)
    calls = max(48, min(4_096, 4_000_000 // weights))
    squares = np.square(LAWS[law](rng, (calls, rows, weights // rows))).mean(axis=2)
    return squares.mean(axis=1), squares


def judged(pool: Floats, weights: int, moment: float, rng: np.random.Generator, *, screened: bool) -> float:
    """Weights to FAILS by one rule; inf where the budget ends first."""
    used, per = 0, math.ceil(256 / weights)

    def draw(groups: int) -> tuple[Floats, Floats]:
        nonlocal used
        used += groups * per * weights
        values = rng.choice(pool, (groups, per)) * moment
        return values, np.ones_like(values)

    options = {"max_groups": max(480, _MOST // (per * weights)), "mean_statistic": True}
    stages = [{"level": 1e-2}, {"level": ALPHA, "fails_only": True}] if screened else [
        {"level": ALPHA / LAYERS, "early": True}
    ]  # fmt: skip
    for stage in stages:
        if judge_band(draw, LO, HI, **options, **stage).decision is not Decision.FAILS:
            return math.inf
    return float(used)


def by_rows(pool: Floats, moment: float, weights: int, rng: np.random.Generator) -> float:
    """Weights until bets on rows, at half the level, show it: looked at after every row."""
    needed, inputs = math.log(2 * 2 * LAYERS / ALPHA), weights // pool.shape[1]
    rows = 64
    while rows * inputs <= _MOST:
        values = rng.choice(pool.ravel(), rows) * moment
        log_e = above_log_e(values, HI) if moment > 1 else below_log_e(values, LO)
        crossed = np.flatnonzero(log_e >= needed)
        if crossed.size:
            return float((crossed[0] + 1) * inputs)
        rows *= 4
    return math.inf


def bound(pool: Floats, moment: float, weights: int) -> float:
    """Above the band: ln(1/level) over the largest growth rate that bets on calls can have."""
    x = pool * (moment / HI)
    growth = max(float(np.log1p(bet * (x - 1.0)).mean()) for bet in np.linspace(0.001, 0.999, 400))
    return math.log(LAYERS / ALPHA) / growth * weights


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    print(f"{'law':8} {'a call':>7} {'beyond':>10} {'screen':>11} {'plan':>11} {'rows':>11} {'bound':>11} plan/bound")
    for law in LAWS:
        for weights in SIZES:
            rng = np.random.default_rng(3)
            calls, rows = pools(law, weights, rng)
            for side in ("above", "below"):
                for factor in FACTORS:
                    moment = HI * factor if side == "above" else LO / factor
                    screen, plan = (
                        float(np.median([judged(calls, weights, moment, rng, screened=s) for _ in range(runs)]))
                        for s in (True, False)
                    )
                    row = float(np.median([by_rows(rows, moment, weights, rng) for _ in range(runs)]))
                    least = bound(calls, moment, weights) if side == "above" else math.nan
                    print(
                        f"{law:8} {weights:7,} {side} {factor:4g} {screen:11,.0f} {plan:11,.0f} {row:11,.0f}"
                        f" {least:11,.0f} {plan / max(least, weights):6.1f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
