"""A defect that lives on one rectangle in a hundred: at how many seeds it is found, which case is shown, and again.

    nice -n 10 python tests/long/power/rare_rectangles.py --seeds 30

Twice the variance where in + out is divisible by 97, where both sides are prime, where out = 3 in; everything else is
right. One claim, profile default. Each seed is run twice with a database of its own: the second run must fail at its
first case, the smallest. The bound is that of Clopper and Pearson on the share of seeds, at confidence 95 %.

`--suspects` asks the search alone, at a third of the time: whether a layer that is wrong is among the suspects, which a
run then judges. At twice the variance a judgement finds it.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

from initcheck.claims.registry import find
from initcheck.contract.contract import Contract
from initcheck.engine.checker import Checker, Settings
from initcheck.engine.sweep import suspects
from initcheck.engine.trials.judge import Judge
from initcheck.gallery.measured_power import at_least
from initcheck.report.verdict import Verdict
from initcheck.targets.loading import load

CLAIM = "output-variance-near-one"
OUT_IN = Contract(activation="linear", fan="fan_in", layout="out_in")


def prime(n: int) -> bool:
    """Whether a number is one."""
    return n > 1 and all(n % k for k in range(2, math.isqrt(n) + 1))


WRONG: dict[str, Callable[[int, int], bool]] = {
    "in + out divisible by 97": lambda out, into: (out + into) % 97 == 0,
    "both sides prime": lambda out, into: prime(out) and prime(into),
    "out = 3 in": lambda out, into: out == 3 * into,
}


@dataclass
class Found:
    """What the seeds of one defect said.

    Attributes:
        first, again: runs that found it, of those with an empty database and of those after them.
        at_once: second runs whose first case failed.
        cases: the cases shown, by how many runs.
        cpu: seconds of the first runs and of the second ones.
    """

    first: int = 0
    again: int = 0
    at_once: int = 0
    cases: Counter[tuple[int, ...] | None] = field(default_factory=Counter)
    cpu: list[float] = field(default_factory=lambda: [0.0, 0.0])


def judged(wrong: Callable[[int, int], bool], seed: int, found: Found) -> None:
    """Run a seed twice."""
    asked: list[tuple[int, int]] = []

    def init(shape: tuple[int, int], rng: np.random.Generator):
        asked.append(shape)
        return rng.standard_normal(shape) * math.sqrt((2 if wrong(*shape) else 1) / shape[1])

    for turn in range(2):
        [initializer] = load(init, contract=OUT_IN).initializers
        checker = Checker(Settings(profile="default", seed=seed, claims=(CLAIM,)))
        began = sum(os.times()[:2])
        for need in find(CLAIM).needs:
            checker.judge(initializer, need)
        asked.clear()
        result = checker.judge(initializer, CLAIM)
        found.cpu[turn] += sum(os.times()[:2]) - began
        fails = result.verdict is Verdict.FAILS
        found.cases[result.evidence.shape if fails else None] += 1
        if turn == 0:
            found.first += fails
        else:
            found.again += fails
            found.at_once += fails and asked[0] == result.evidence.shape


def suspected(wrong: Callable[[int, int], bool], seed: int) -> bool:
    """Whether the search comes to a layer that is wrong and sees it."""

    def init(shape: tuple[int, int], rng: np.random.Generator):
        return rng.standard_normal(shape) * math.sqrt((2 if wrong(*shape) else 1) / shape[1])

    [initializer] = load(init, contract=OUT_IN).initializers
    checker = Checker(Settings(profile="default", seed=seed, claims=(CLAIM,)))
    trial = Judge(checker.subject(initializer), checker.ledger.claim())
    return any(wrong(*layer.shape) for layer in suspects(find(CLAIM), trial))


def by_the_search_alone(seeds: range) -> None:
    """Print a line a defect: at how many seeds a wrong layer is a suspect."""
    for name, wrong in WRONG.items():
        began = sum(os.times()[:2])
        found = sum(suspected(wrong, seed) for seed in seeds)
        once = (sum(os.times()[:2]) - began) / len(seeds)
        print(
            f"{name:26} suspected at {found} of {len(seeds)} seeds ({at_least(found, len(seeds)):.1%} or more);"
            f" {once:.2f} CPU s",
            flush=True,
        )


def main() -> None:
    """Print a line a defect."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--suspects", action="store_true")
    asked = parser.parse_args()
    if asked.suspects:
        return by_the_search_alone(range(asked.start, asked.start + asked.seeds))
    every = 0
    for name, wrong in WRONG.items():
        found = Found()
        for seed in range(asked.start, asked.start + asked.seeds):
            with tempfile.TemporaryDirectory() as folder:
                settings.register_profile("rectangles", database=DirectoryBasedExampleDatabase(folder))
                settings.load_profile("rectangles")
                judged(wrong, seed, found)
        every += found.first
        once, again = (seconds / asked.seeds for seconds in found.cpu)
        print(
            f"{name:26} found at {found.first} of {asked.seeds} seeds ({at_least(found.first, asked.seeds):.1%} or"
            f" more), again at {found.again}, at once at {found.at_once}; shown {dict(found.cases)};"
            f" {once:.1f} and {again:.1f} CPU s",
            flush=True,
        )
    runs = asked.seeds * len(WRONG)
    print(f"together: {every} of {runs} ({at_least(every, runs):.1%} or more)")


if __name__ == "__main__":
    main()
