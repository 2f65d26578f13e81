"""Laws whose typical group says something else than their mean: the true value keeps the band where most groups do not.

`PYTHONPATH=tests python tests/long/power/clause_attacks.py` prints, for each, how often a group of 256 weights lies on
the wrong side and what the machine says of it, claim by claim.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from counter_uniforms import CounterSampler, uniforms
from scipy import special

from initcheck.contract.contract import Contract
from initcheck.contract.initializer import Initializer
from initcheck.engine.checker import Checker, Settings
from initcheck.statistics.sign_eprocess import CLAUSE

Floats = npt.NDArray[np.float64]
LO, HI = 0.8, 1.25


@dataclass(frozen=True)
class Attack:
    """A law of weights whose typical group says something else than its second moment.

    Attributes:
        law: of (calls, weights) uniforms and one uniform a call, the weights; their second moment is ``moment``.
        moment: the true second moment over the ideal, at every shape.
        wrong: the verdict on the variance that would be false: FAILS inside the band, HOLDS outside.
        said: what the checker says of output-variance-near-one at the quick profile, at seed 1.
        guard: what kept it from the false verdict; empty where nothing does.
    """

    law: Callable[[Floats, Floats], Floats]
    moment: float
    wrong: str
    said: str
    guard: str = ""


def signs(u: Floats) -> Floats:
    return np.where(u < 0.5, -1.0, 1.0)


def normal(u: Floats) -> Floats:
    return np.asarray(special.ndtri(u))


def again(u: Floats) -> Floats:
    """Fresh uniforms from the lower digits of used ones."""
    return (u * 2.0**20) % 1.0


def rare(rate: float, share: float, moment: float) -> Callable[[Floats, Floats], Floats]:
    """Normal weights with outliers at a rate, which carry a share of the second moment."""

    def law(u: Floats, call: Floats) -> Floats:
        far = again(u) < rate
        return math.sqrt(moment) * np.where(
            far, signs(u) * math.sqrt(share / rate), normal(u) * math.sqrt((1 - share) / (1 - rate))
        )

    return law


def of_calls(share: float, typical: float, other: float) -> Callable[[Floats, Floats], Floats]:
    """Normal weights; a share of the calls has one second moment, the other calls another."""
    return lambda u, call: normal(u) * np.sqrt(np.where(call < share, typical, other))[:, None]


def lognormal_calls(sigma: float, moment: float) -> Callable[[Floats, Floats], Floats]:
    """Every call has a log-normal second moment of its own."""
    return lambda u, call: normal(u) * np.sqrt(moment * np.exp(sigma * special.ndtri(call) - sigma**2 / 2))[:, None]


def sparse(density: float, moment: float) -> Callable[[Floats, Floats], Floats]:
    return lambda u, call: normal((u % density) / density) * (u < density) * math.sqrt(moment / density)


def skewed(sigma: float, moment: float) -> Callable[[Floats, Floats], Floats]:
    """Weights +-exp(normal): all moments, and most of the second in few weights."""
    return lambda u, call: signs(again(u)) * np.exp(sigma * normal(u) - sigma**2) * math.sqrt(moment)


def lattice(levels: int, moment: float) -> Callable[[Floats, Floats], Floats]:
    """Whole numbers, most of them 0 or 1 and the largest once in levels^2."""
    top = levels * levels

    def law(u: Floats, call: Floats) -> Floats:
        size = np.where(again(u) < 1 / top, float(levels), np.where(again(u) < 0.5, 1.0, 0.0))
        return signs(u) * size * math.sqrt(moment / (1 + 0.5 - 1 / top))

    return law


def blocks(share: float, moment: float) -> Callable[[Floats, Floats], Floats]:
    """Blocks of 256 weights of one size each: a block is large with probability 1 - share, else nothing."""

    def law(u: Floats, call: Floats) -> Floats:
        block = again(again(u[:, ::256]))
        large = np.repeat(block >= share, 256, axis=1)[:, : u.shape[1]]
        return normal(u) * large * math.sqrt(moment / (1 - share))

    return law


ATTACKS: dict[str, Attack] = {
    # The true value keeps the band: a FAILS would be false.
    "outliers, 1e-4": Attack(rare(1e-4, 0.5, 1.0), 1.0, "FAILS", "UNDECIDED",
        "bets from below wait for a million weights"),
    "outliers, 1e-5": Attack(rare(1e-5, 0.5, 1.0), 1.0, "FAILS", "FAILS"),
    "outliers, 1e-3": Attack(rare(1e-3, 0.5, 1.0), 1.0, "FAILS", "UNDECIDED",
        "bets from below reckon with twice the largest call"),
    "sparse, 1e-3": Attack(sparse(1e-3, 1.0), 1.0, "FAILS", "UNDECIDED",
        "a tail too heavy for a bet from below"),
    "skewed, sigma 2": Attack(skewed(2.0, 1.0), 1.0, "FAILS", "UNDECIDED",
        "bets from below reckon with twice the largest call"),
    "lattice, 1 to 30": Attack(lattice(30, LO), LO, "FAILS", "UNDECIDED",
        "bets from below reckon with twice the largest call"),
    "scale of calls, log-normal 2": Attack(lognormal_calls(2.0, 1.0), 1.0, "FAILS", "UNDECIDED",
        "bets from below reckon with twice the largest call"),
    "a tenth of the calls zero": Attack(of_calls(0.9, 1.35, 0.0), 0.9 * 1.35, "FAILS", "UNDECIDED",
        "bets from above ask for the mean"),
    "a tenth of the calls nearly zero": Attack(of_calls(0.9, 1.35, 1e-3), 0.9 * 1.35, "FAILS", "UNDECIDED",
        "bets from above ask for the mean"),
    "few large calls": Attack(of_calls(0.9, 0.7, 3.7), 1.0, "FAILS", "HOLDS",
        "bets on the mean, where groups are not alike"),
    "one call in 1,000 huge, inside": Attack(of_calls(0.999, 0.5, 500.5), 1.0, "FAILS", "FAILS"),
    "blocks": Attack(blocks(0.9, 1.0), 1.0, "FAILS", "UNDECIDED",
        "bets from below reckon with twice the largest call"),
    # The true value is outside: a HOLDS would be false.
    "unseen outliers, 1e-4": Attack(rare(1e-4, 0.5, 2.0), 2.0, "HOLDS", "FAILS",
        "large shapes: a call sees them"),
    "unseen outliers, 1e-5": Attack(rare(1e-5, 0.5, 2.0), 2.0, "HOLDS", "FAILS",
        "large shapes, the tail, and bets on single calls"),
    "unseen outliers, 1e-6": Attack(rare(1e-6, 0.5, 2.0), 2.0, "HOLDS", "UNDECIDED",
        "the mean over all calls contradicts"),
    "unseen outliers, 1e-8": Attack(rare(1e-8, 0.5, 2.0), 2.0, "HOLDS", "HOLDS"),
    "one call in a hundred huge": Attack(of_calls(0.99, 1.0, 101.0), 2.0, "HOLDS", "FAILS",
        "small shapes: a group holds many calls"),
    "one call in 10,000 huge": Attack(of_calls(0.9999, 1.0, 10_001.0), 2.0, "HOLDS", "UNDECIDED",
        "no more is drawn where a huge call leaves neither answer in reach"),
    "one call in ten large": Attack(of_calls(0.9, 1.0, 11.0), 2.0, "HOLDS", "FAILS",
        "small shapes: a group holds many calls"),
    "skewed, sigma 2, twice": Attack(skewed(2.0, 4.0), 4.0, "HOLDS", "FAILS",
        "merged groups, and bets on single calls"),
    "a tenth of the calls zero, below": Attack(of_calls(0.9, 0.85, 0.0), 0.765, "HOLDS", "FAILS",
        "small shapes: a group holds many calls"),
    "a tenth of the calls nearly zero, below": Attack(of_calls(0.9, 0.85, 1e-3), 0.765, "HOLDS", "FAILS",
        "small shapes: a group holds many calls"),
}  # fmt: skip


@dataclass
class Uniforms(CounterSampler):
    """A sampler whose weights are a function of counters run through splitmix64: no generator to build."""

    law: Callable[[Floats, Floats], Floats]

    def calls(self, shape: tuple[int, ...], seeds: Sequence[int], dtype: str) -> list[Any]:
        u = uniforms(seeds, math.prod(shape) + 1)
        return list((self.law(u[:, 1:], u[:, 0]) / math.sqrt(shape[1])).reshape(-1, *shape))


def groups(attack: Attack, count: int, merged: int = 1, weights: int = 256) -> Floats:
    """T of groups of 256 weights: one call each, or of several merged."""
    u = uniforms(range(count * merged), weights + 1)
    return np.asarray((attack.law(u[:, 1:], u[:, 0]) ** 2).mean(axis=1).reshape(count, merged).mean(axis=1))


def wrong_side(attack: Attack, t: Floats) -> float:
    """The share of groups that argue for the false verdict: beyond an edge, or on the inner side of one crossed."""
    if attack.wrong == "FAILS":
        return max(float((t < LO).mean()), float((t > HI).mean()))
    return float((t < HI).mean()) if attack.moment > HI else float((t > LO).mean())


def results(attack: Attack, seed: int, claims: tuple[str, ...] | None, profile: str = "quick") -> dict[str, str]:
    """Claim id -> verdict."""
    promised = {"activation": "linear", "fan": "fan_in", "layout": "out_in", "dtypes": ("float64",)}
    contract = Contract.from_mapping(promised)  # a contract whose origin is not noted would be an assumed one
    initializer = Initializer(name="attack", sampler=Uniforms(attack.law), contract=contract, ranks=(2,))
    checker = Checker(Settings(seed=seed, profile=profile, claims=claims))
    return {c: checker.judge(initializer, c).verdict.value for c in checker.claim_ids}


def main() -> None:
    for name, attack in ATTACKS.items():
        one, eight = (wrong_side(attack, groups(attack, 2000, merged)) for merged in (1, 8))
        runs = [results(attack, seed, None) for seed in (1, 2, 3)]
        said = {
            claim: dict(Counter(run[claim] for run in runs))
            for claim in ("output-variance-near-one", "gradient-variance-near-one")
        }
        others = sorted({c for run in runs for c, v in run.items() if v == "FAILS"} - set(said))
        print(f"{name}: value {attack.moment:.3g}; {one:.0%} of groups, {eight:.0%} of 8 merged (clause {CLAUSE:.0%});")
        print(f"    {said}; others fail: {others}", flush=True)


if __name__ == "__main__":
    main()
