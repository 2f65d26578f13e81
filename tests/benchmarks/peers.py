"""How many weights each rule needs to say that a variance is wrong, at one false-alarm rate and one rate of misses.

    python tests/benchmarks/peers.py          measures the table anew and writes peers.json beside this file

A defect is a variance beyond an edge of the band [0.8, 1.25] by a factor. Every rule but the constant one is given the
edge as its null hypothesis, one side where it has sides, and the level 10^-6; a fixed number of weights is the
smallest that misses 1 defect in 100. The rules that fix that number must know the defect in advance, and all of them
assume independent weights; those of a normal law also that the law is known. The band test knows none of these. Below
the band it assumes that nothing rare carries the variance, and a trial draws 2^20 weights before it relies on that.
"""

from __future__ import annotations

import functools
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import optimize, stats

from initcheck.engine.trials.judge import _WEIGHTS_BEFORE_BELOW
from initcheck.statistics import SCREEN_LEVEL, Decision, judge_band

TABLE = Path(__file__).with_name("peers.json")
LEVEL, MISSED = 1e-6, 1e-2
LO, HI = 0.8, 1.25
FACTORS = (1.1, 1.5, 4.0, 100.0)
GROUP = 256
# TheDeepChecker, pure_f_test: the larger variance over the smaller, against one number whatever the sample.
CONSTANT_RATIO = 2.70554


@dataclass(frozen=True)
class Defect:
    """Normal weights whose variance lies beyond an edge by a factor."""

    factor: float
    above: bool

    @property
    def edge(self) -> float:
        """The variance that is still allowed."""
        return HI if self.above else LO

    @property
    def ratio(self) -> float:
        """The variance over the edge."""
        return self.factor if self.above else 1 / self.factor

    @property
    def variance(self) -> float:
        """The variance of a weight."""
        return self.edge * self.ratio

    def draw(self, rng: np.random.Generator, *shape: int) -> np.ndarray:
        """Weights of that variance."""
        return rng.standard_normal(shape, dtype=np.float32) * np.float32(math.sqrt(self.variance))


def every_defect() -> list[Defect]:
    """Both directions, small factors first."""
    return [Defect(factor, above) for above in (True, False) for factor in FACTORS]


def bound(defect: Defect, level: float = LEVEL) -> float:
    """ln(1/level) / KL, or one weight: no test decides on fewer on average, sequential and knowing both laws or not."""
    divergence = 0.5 * (defect.ratio - 1.0 - math.log(defect.ratio))
    return max(1.0, math.log(1 / level) / divergence)


# -- rules that fix the number of weights -------------------------------------------------------------------------


def smallest(enough: Callable[[int], bool]) -> int:
    """The smallest number of weights that is enough, where more are enough too."""
    low, high = 0, 1
    while not enough(high):
        low, high = high, 2 * high
    while high - low > max(1, high // 500):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def chi_squared_weights(defect: Defect) -> int:
    """Sum of squares over the edge, against a quantile of chi-squared: the best test that knows the law is normal."""

    def enough(n: int) -> bool:
        if defect.above:
            return bool(stats.chi2.sf(stats.chi2.isf(LEVEL, n) / defect.ratio, n) >= 1 - MISSED)
        return bool(stats.chi2.cdf(stats.chi2.ppf(LEVEL, n) / defect.ratio, n) >= 1 - MISSED)

    return smallest(enough)


def kolmogorov_smirnov_weights(defect: Defect, runs: int = 200) -> int:
    """PyTorch's test_init: the distance between empirical and named law; there at p > 10^-4, here at this level."""
    rng = np.random.default_rng(1)

    def distance(n: int) -> float:
        u = np.sort(stats.norm.cdf(math.sqrt(defect.ratio) * rng.standard_normal(n)))
        at = np.arange(n)
        return float(max((u - at / n).max(), ((at + 1) / n - u).max()))

    def enough(n: int) -> bool:
        threshold = stats.kstwo.isf(LEVEL, n)
        return sum(distance(n) <= threshold for _ in range(runs)) <= MISSED * runs

    return smallest(enough)


def clipped_mean(variance: float, clip: float) -> float:
    """E min(w^2, clip) of a normal weight."""
    c = math.sqrt(clip / variance)
    return variance * (math.erf(c / math.sqrt(2)) - 2 * c * stats.norm.pdf(c)) + clip * 2 * stats.norm.sf(c)


@functools.cache
def dkwm_plan(defect: Defect) -> tuple[int, float]:
    """TensorFlow Probability's mean test: n from the DKWM inequality on [0, clip], and the best clip for this defect.

    The inequality wants a bounded support; squares are clipped, and the mean under the edge is that of a clipped
    normal. sqrt(n) = (sqrt(ln 2/level) + sqrt(ln 2/missed)) / sqrt 2 * clip / |difference of the means|.
    """
    errors = (math.sqrt(math.log(2 / LEVEL)) + math.sqrt(math.log(2 / MISSED))) / math.sqrt(2)

    def weights(log_clip: float) -> float:
        clip = math.exp(log_clip)
        return (errors * clip / abs(clipped_mean(defect.ratio, clip) - clipped_mean(1.0, clip))) ** 2

    best = optimize.minimize_scalar(weights, bounds=(math.log(0.01), math.log(1000)), method="bounded")
    return math.ceil(best.fun), math.exp(best.x)


def constant_ratio_finds(defect: Defect) -> bool:
    """Whether the constant ratio finds the defect at all, however many weights there are."""
    return max(defect.variance, 1 / defect.variance) > CONSTANT_RATIO


def constant_ratio_weights(defect: Defect) -> int | None:
    """Weights from which the constant ratio misses 1 in 100; None where it never finds the defect."""
    if not constant_ratio_finds(defect):
        return None
    v = defect.variance

    def enough(n: int) -> bool:
        return n > 1 and _beyond_the_constant_ratio(n, v) >= 1 - MISSED

    return smallest(enough)


def constant_ratio_false_alarms(n: int) -> float:
    """How often the constant ratio blames n normal weights of the right variance."""
    return _beyond_the_constant_ratio(n, 1.0)


def _beyond_the_constant_ratio(n: int, variance: float) -> float:
    # Its variance is taken about the mean and divided by n.
    spread = stats.chi2(n - 1, scale=variance / n)
    return float(spread.sf(CONSTANT_RATIO) + spread.cdf(1 / CONSTANT_RATIO))


# -- the band test -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spent:
    """What verdicts cost, on average.

    Attributes:
        confirmation: weights of the confirmation, the stage that the level belongs to.
        both: weights of screen and confirmation.
        seconds: of both, the drawing among them.
        found: share of the runs that ended in FAILS.
    """

    confirmation: float
    both: float
    seconds: float
    found: float


def band_test(defect: Defect, a_call: int, runs: int = 100) -> Spent:
    """The two stages of initcheck's scale claims, as they decide by themselves."""
    rng = np.random.default_rng(2)
    size = math.ceil(GROUP / a_call)

    def draw(groups: int) -> tuple[np.ndarray, np.ndarray]:
        calls = defect.draw(rng, groups, size, a_call)
        return np.square(calls, dtype=np.float64).mean(axis=2), np.ones((groups, size))

    def stage(level: float, confirms: bool) -> tuple[int, bool]:
        judged = judge_band(draw, LO, HI, level=level, max_groups=20_000, fails_only=confirms, mean_statistic=True)
        return judged.groups * size * a_call, judged.decision is Decision.FAILS

    started = time.process_time()
    screens = [stage(SCREEN_LEVEL, confirms=False) for _ in range(runs)]
    confirmations = [stage(LEVEL, confirms=True) for _ in range(runs)]
    seconds = (time.process_time() - started) / runs
    confirmation = float(np.mean([weights for weights, _ in confirmations]))
    both = confirmation + float(np.mean([weights for weights, _ in screens]))
    found = float(np.mean([a and b for (_, a), (_, b) in zip(screens, confirmations, strict=True)]))
    return Spent(confirmation, both, seconds, found)


# -- the table -----------------------------------------------------------------------------------------------------


def decide(rule: str, defect: Defect, weights: np.ndarray) -> bool:
    """One verdict of a rule with a fixed number of weights, as its tool computes it."""
    scaled = weights / math.sqrt(defect.edge)
    n = weights.size
    if rule == "chi-squared":
        total = float(np.square(scaled, dtype=np.float64).sum())
        return bool((stats.chi2.sf if defect.above else stats.chi2.cdf)(total, n) < LEVEL)
    if rule == "Kolmogorov-Smirnov":
        return bool(stats.kstest(scaled, "norm").pvalue < LEVEL)
    if rule == "constant ratio":
        variance = float(np.var(weights))
        return max(variance, 1 / variance) > CONSTANT_RATIO
    return _dkwm_excludes(defect, scaled)


def _dkwm_excludes(defect: Defect, scaled: np.ndarray) -> bool:
    """Whether the mean of the clipped squares under the edge lies outside the DKWM interval of the mean."""
    clip = dkwm_plan(defect)[1]
    squares = np.sort(np.minimum(np.square(scaled, dtype=np.float64), clip))
    envelope = math.sqrt(math.log(2 / LEVEL) / (2 * squares.size))
    moved = min(squares.size, math.ceil(envelope * squares.size))
    lowest = squares[: squares.size - moved].sum() / squares.size
    highest = (squares[moved:].sum() + moved * clip) / squares.size
    return not lowest <= clipped_mean(1.0, clip) <= highest


PEERS: dict[str, Callable[[Defect], int | None]] = {
    "chi-squared": chi_squared_weights,
    "Kolmogorov-Smirnov": kolmogorov_smirnov_weights,
    "DKWM mean": lambda defect: dkwm_plan(defect)[0],
    "constant ratio": constant_ratio_weights,
}
CALLS = (1, 16, 64, 256)


def lines() -> Iterator[dict[str, Any]]:
    """The table, one line a defect and rule; weights over the Kullback-Leibler bound beside the weights."""
    for defect in every_defect():
        least = bound(defect)
        where = {"direction": "above" if defect.above else "below", "factor": defect.factor}
        yield {**where, "rule": "Kullback-Leibler bound", "weights": round(least, 1), "over bound": 1.0}
        for a_call in CALLS:
            spent = band_test(defect, a_call)
            least_of_a_trial = {} if defect.above else {"a trial confirms after": _WEIGHTS_BEFORE_BELOW}
            yield {
                **where,
                "rule": f"initcheck, {a_call} weights a call",
                "weights": round(spent.confirmation),
                "over bound": round(spent.confirmation / least, 1),
                "with screen": round(spent.both),
                "seconds": float(f"{spent.seconds:.2g}"),
                "found": spent.found,
                **least_of_a_trial,
            }
        for rule, needed in PEERS.items():
            n = needed(defect)
            line = {**where, "rule": rule, "weights": n}
            if n is not None:
                line["over bound"] = round(n / least, 1)
                line["seconds"] = float(f"{_seconds(rule, defect, n):.2g}")
            yield line


def _seconds(rule: str, defect: Defect, n: int) -> float:
    rng = np.random.default_rng(3)
    spent = []
    for _ in range(5):
        started = time.process_time()
        decide(rule, defect, defect.draw(rng, n))
        spent.append(time.process_time() - started)
    return min(spent)


def measure() -> dict[str, Any]:
    """Everything that is stored."""
    false = {str(n): float(f"{constant_ratio_false_alarms(n):.2g}") for n in (2, 4, 9, 16, 64, 256)}
    return {
        "level": LEVEL,
        "missed": MISSED,
        "band": [LO, HI],
        "lines": list(lines()),
        "false alarms of the constant ratio, by weights": false,
    }


if __name__ == "__main__":
    TABLE.write_text(json.dumps(measure(), indent=1) + "\n")
    for line in json.loads(TABLE.read_text())["lines"]:
        print(*(f"{key} {value}" for key, value in line.items()), sep=", ")
