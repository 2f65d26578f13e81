"""One law or two: pairs of calls that may change places, bet on until it is one, or two, or neither is shown."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.comparison.call_scores import CallScores, Feature
from initcheck.statistics import scores_log_e

Floats = npt.NDArray[np.float64]
Calls = Callable[[int, int], Floats]
"""``calls(start, stop)``: calls of those numbers, shape (calls, rows, columns)."""

FIRST = 64
"""Calls of each that choose what is compared; no verdict rests on them."""
MOST_PAIRS = 3_000
_BATCH = 32


class Answer(enum.StrEnum):
    """Whether two laws are one."""

    SAME = "SAME"
    DIFFERENT = "DIFFERENT"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True)
class Exchange:
    """What the pairs show.

    Attributes:
        answer: of the three.
        pairs: calls of each that it rests on.
        feature: in what they differ most, by how much it is shown; of a SAME, what was nearest to its tolerance.
        log10_e: log10 of the e-value behind the answer.
        factor: the standard deviation of B's weights over that of A's, over all calls that were drawn.
        within: the factor between standard deviations that a SAME does not exclude.
        kinds: the kinds of the features that differ clearly, the clearest first.
    """

    answer: Answer
    pairs: int
    feature: Feature
    log10_e: float
    factor: float
    within: float
    kinds: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """In what B differs from A."""
        if abs(self.factor - 1) > 0.015 and "scale" in self.kinds:
            if self.factor in (0, math.inf):
                return f"in size, {'A' if self.factor else 'B'}'s weights are all zero"
            return f"in size, B's weights {self.factor:.3g} times A's"
        return f"in {self.feature.name}"

    def ratio(self, a: tuple[float, float], b: tuple[float, float], share: float) -> tuple[float, float]:
        """E w^2 of B over that of A, over all calls, and the standard error of its logarithm.

        Args:
            a, b: E w^2 of each over some of the calls, and its standard error between them, relative to it.
            share: how many of all calls these are.
        """
        return self.factor**2 if a[0] > 0 else math.inf, math.hypot(a[1], b[1]) * math.sqrt(share)


def compare(
    a: Calls,
    b: Calls,
    *,
    alpha: float = 1e-6,
    beta: float = 1e-3,
    first: int = FIRST,
    most: int = MOST_PAIRS,
    same: bool = True,
    least: float = 0.1,
) -> Exchange:
    """Draw pairs of calls, one of A and one of B, until their laws are shown to be the same or different.

    Null of DIFFERENT: A and B have one law. Then a call of A and a call of B, on seeds that have nothing to do with
    one another, may change places, so that a score that changes its sign with them (``CallScores``) has mean 0
    exactly: whatever the law, its tail, and the dependence of entries inside a call. The bets on every s and -s are
    averaged, each a non-negative supermartingale, so P(DIFFERENT at any number of pairs) <= alpha.

    Null of SAME: some score has |E s| at or beyond what is excluded. Then the bet on excluded - s, or on excluded + s,
    of that score is a supermartingale; all of them must reach 1/beta, so P(SAME) <= beta, and no factor is paid for
    their number. What is excluded is |E s| = 0.1 to 0.5 of the reach of a score: two means of a feature that lie 0.6
    standard deviations of a call apart, or, of large calls, the tolerance of that feature (1 % in the standard
    deviation of weights, 0.03 in a cosine of their law, 0.02 in a correlation).

    Assumption: calls are independent of one another (``calls-are-independent`` asks that), nothing else. The first
    sample chooses what is compared and is not looked at again.

    >>> rng = np.random.default_rng(0)
    >>> def normal(start, stop):
    ...     return rng.normal(size=(stop - start, 8, 16))
    >>> def uniform(start, stop):
    ...     return rng.uniform(-(3**0.5), 3**0.5, size=(stop - start, 8, 16))
    >>> str(compare(normal, normal).answer), str(compare(normal, uniform).answer)
    ('SAME', 'DIFFERENT')

    Args:
        a, b: draw calls by number; each number is drawn once.
        alpha: bound on the probability that DIFFERENT is said of one law.
        beta: bound on the probability that SAME is said of two that are as far apart as is excluded.
        first: calls that choose what is compared.
        most: pairs after which nothing more is drawn.
        same: whether SAME is looked for; else pairs are drawn until they are DIFFERENT or spent.
        least: the smallest |E s| that is excluded of what is the same; 0.1 is 0.6 standard deviations of a call.

    Source: Waudby-Smith & Ramdas 2024 (arXiv 2010.09686) for the bets; Shekhar & Ramdas 2023 (arXiv 2112.09162) for
    two samples compared by betting on scores that exchanging them turns round.
    """
    firsts = a(0, first), b(0, first)
    scores = CallScores(*firsts, least)
    energies = [_energy(w) for w in firsts]
    seen = np.empty((0, len(scores.features)))
    total = _BATCH
    while True:
        at, to = first + len(seen), first + total
        x, y = a(at, to), b(at, to)
        seen = np.concatenate([seen, scores.of(x, y)])
        energies = [energies[0] + _energy(x), energies[1] + _energy(y)]
        evidence = scores_log_e(seen, 0.0, scores.excluded)
        against = float(evidence.against.max())
        if against >= -math.log(alpha):
            answer, shown = Answer.DIFFERENT, against
        elif same and float(evidence.inside[-1]) >= -math.log(beta):
            answer, shown = Answer.SAME, float(evidence.inside[-1])
        elif total >= most:
            answer, shown = Answer.UNDECIDED, against
        else:
            total = min(most, total + max(_BATCH, total // 3))
            continue
        break
    clear = _clearness(seen)
    nearest = np.abs(seen.mean(axis=0)) / scores.excluded
    ranked = np.argsort(-nearest if answer is Answer.SAME else -clear)
    kinds = dict.fromkeys(scores.features[k].kind for k in ranked if clear[k] > 5.0)
    return Exchange(
        answer=answer,
        pairs=total,
        feature=scores.features[int(ranked[0])],
        log10_e=shown / math.log(10),
        factor=math.sqrt(energies[1] / energies[0]) if energies[0] > 0 else math.inf,
        within=scores.factor,
        kinds=tuple(kinds),
    )


def _energy(calls: Floats) -> float:
    """The sum of squares of what is finite."""
    return float(np.square(np.nan_to_num(calls, posinf=0.0, neginf=0.0), dtype=np.float64).sum())


def _clearness(seen: Floats) -> Floats:
    """Standard errors that the mean of each score is away from zero."""
    mean, spread = seen.mean(axis=0), seen.std(axis=0)
    return np.asarray(np.abs(mean) / (spread + 1e-3) * math.sqrt(len(seen)))
