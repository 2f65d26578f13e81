"""What rows as units would save, and what they would risk: why bets are placed on calls alone.

    nice -n 10 python tests/long/power/rows_as_units.py --runs 400

Rows of a call may be bet on one by one only where they are independent, and that would rest on the word of
`entries-are-independent`, which is said at an error of 10^-3 and of dependence that its statistics see. First table:
normal weights times a gain a call, log-normal of deviation s: what that claim says of it at default, and how often bets
on the rows of (256, 256) call the second moment wrong that lies on the edge of the band, at a level of 10^-6 over 30
layers. Second: what a FAILS at that layer alone costs in calls, weights and CPU seconds with calls as units, beside the
whole run of a sound law.
"""

from __future__ import annotations

import argparse
import math
import os

import numpy as np

from initcheck.contract.contract import Contract
from initcheck.engine.checker import Checker, Settings
from initcheck.gallery.measured_power import at_least
from initcheck.report.verdict import Result
from initcheck.statistics.mean_bets import above_log_e
from initcheck.targets.loading import load

OUT_IN = Contract(activation="linear", fan="fan_in", layout="out_in")
HI, UNITS, CALLS = 1.25, 256, 64
NEEDED = math.log(2 * 2 * 30 / 1e-6)


def _seconds() -> float:
    return sum(os.times()[:4])


def judged(init: object, claims: tuple[str, ...] | None, seed: int) -> list[Result]:
    """What a default run says."""
    [initializer] = load(init, contract=OUT_IN).initializers
    checker = Checker(Settings(profile="default", seed=seed, claims=claims))
    return [checker.judge(initializer, claim) for claim in checker.claim_ids]


def with_gain(deviation: float, second_moment: float = 1.0):
    """Normal weights; each call has a gain whose square has mean 1."""

    def init(shape: tuple[int, int], rng: np.random.Generator):
        gain = math.exp(deviation * rng.standard_normal() - deviation**2)
        return rng.standard_normal(shape) * gain * math.sqrt(second_moment / shape[1])

    return init


def false_alarm(deviation: float, rng: np.random.Generator) -> bool:
    """Whether bets on rows fail a second moment on the edge."""
    gains = np.exp(2 * (deviation * rng.standard_normal((CALLS, 1)) - deviation**2))
    rows = HI * gains * rng.chisquare(UNITS, (CALLS, UNITS)) / UNITS
    return bool((above_log_e(rows.ravel(), HI) >= NEEDED).any())


def wrong_at_the_largest(factor: float):
    """Right but for layers of 65,000 weights and more."""

    def init(shape: tuple[int, int], rng: np.random.Generator):
        wrong = factor if math.prod(shape) >= 65_000 else 1.0
        return rng.standard_normal(shape) * math.sqrt(wrong / shape[1])

    return init


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=2)
    asked = parser.parse_args()
    print("deviation of a call's gain: entries-are-independent at default; rows on the edge fail")
    for deviation in (0.3, 0.1, 0.05, 0.03, 0.02, 0.01):
        claim = ("entries-are-independent",)
        verdicts = [judged(with_gain(deviation), claim, seed)[0].verdict.value for seed in range(1, asked.seeds + 1)]
        rng = np.random.default_rng(5)
        wrong = sum(false_alarm(deviation, rng) for _ in range(asked.runs))
        print(
            f"{deviation:5}: {', '.join(verdicts)}; {wrong} of {asked.runs}, {at_least(wrong, asked.runs):.1%} or more",
            flush=True,
        )
    before = _seconds()
    judged(with_gain(0.0), None, 1)
    print(f"a sound law, every claim: {_seconds() - before:.2f} CPU s")
    for times in (1.1, 1.5, 4.0):
        before = _seconds()
        *_, result = judged(wrong_at_the_largest(HI * times), ("output-variance-near-one",), 1)
        found = result.evidence
        shown = f" at {found.shape}, {found.calls:,} calls, {found.weights:,} weights" if found.shape else ""
        print(
            f"{times} beyond the edge at 65,000 weights and more: {result.verdict.value}{shown},"
            f" {_seconds() - before:.2f} CPU s for the claim and what it needs",
            flush=True,
        )


if __name__ == "__main__":
    main()
