"""What a handful of fresh models can show of a median: by the spread of the models themselves, else by their signs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from initcheck.statistics import Decision
from initcheck.statistics.median import thresholds

_HOPELESS = 0.1
_TOLD = 12
"""Models whose signs tell the chance of one well enough."""
_SHARES = (0.4, 0.15, 0.2, 0.25)  # of the error, a look each


@dataclass(frozen=True)
class FewModelsPlan:
    """How many models decide, at a level for FAILS and beta for HOLDS; half of each goes to either test.

    The first test is Student's on what a model gives, on a logarithmic scale where it is a growth: it decides by
    few models where they lie closer to one another than to the edge, and by none where they do not, as in narrow
    nets. It takes the models' values for normal; at these numbers its tails fall as the (n-1)th power of the ratio
    of spread to distance, for any law with a density. The second is the exact sign test, which assumes nothing.

    >>> FewModelsPlan(level=2.5e-7, beta=1e-3)
    FewModelsPlan(level=2.5e-07, beta=0.001)
    >>> FewModelsPlan(2.5e-7, 1e-3).holds_by_spread, FewModelsPlan(2.5e-7, 1e-3).fails_by_spread
    ((3, 5, 9, 16), (6, 9, 14))
    >>> FewModelsPlan(2.5e-7, 1e-3).holds_by_sign, FewModelsPlan(2.5e-7, 1e-3).fails_by_sign
    ((12, 24), (25, 50))

    Attributes:
        level: probability of a false FAILS of one claim.
        beta: probability of a false HOLDS.
    """

    level: float
    beta: float

    @property
    def holds_by_spread(self) -> tuple[int, ...]:
        """Numbers of models at which Student's test looks for HOLDS."""
        return 3, 5, 9, 16

    @property
    def fails_by_spread(self) -> tuple[int, ...]:
        """Numbers of fresh models at which Student's test looks for FAILS."""
        return 6, 9, 14

    @property
    def holds_by_sign(self) -> tuple[int, int]:
        """Numbers of models at which the exact sign test looks for HOLDS."""
        first = math.ceil(math.log2(4 / self.beta))
        return first, 2 * first

    @property
    def fails_by_sign(self) -> tuple[int, int]:
        """Numbers of models at which the exact sign test looks for FAILS, at both edges."""
        first = math.ceil(math.log2(8 / self.level))
        return first, 2 * first


def screen(values: Sequence[float], low: float, high: float, plan: FewModelsPlan) -> Decision:
    """Look at the models so far: HOLDS, or FAILS for 'worth a confirmation', or neither yet.

    >>> screen([1.9, 1.89, 1.91], 0.25, 4.0, FewModelsPlan(2.5e-7, 1e-3)).name
    'HOLDS'

    Args:
        values: one a model: a growth, which is positive, or a loss.
        low, high: the band of the median; growths and the band are compared on a logarithmic scale.
        plan: error rates.
    """
    for n, share in zip(plan.holds_by_spread, _SHARES, strict=True):
        if len(values) >= n and max(_tails(values[:n], low, high, inside=True)) <= share * plan.beta / 2:
            return Decision.HOLDS
    needed = _counts(plan.holds_by_sign, plan.beta / 2)
    for n, k in zip(plan.holds_by_sign, needed, strict=True):
        if len(values) >= n and min(sum(v > low for v in values[:n]), sum(v < high for v in values[:n])) >= k:
            return Decision.HOLDS
    beyond = max(sum(v > high for v in values), sum(v < low for v in values))
    enough = len(values) >= plan.holds_by_spread[0]
    return Decision.FAILS if enough and 2 * beyond > len(values) else Decision.UNDECIDED


def confirm(values: Sequence[float], low: float, high: float, plan: FewModelsPlan) -> Decision:
    """Look at models that no screen has seen: FAILS or nothing.

    Null: the median keeps the band. By spread: Student's test of the mean against either edge. By sign: at least k
    of n beyond an edge, with the binomial's tail at 1/2. Both edges and all looks share the level.
    """
    error = plan.level / 4
    for n in plan.fails_by_spread:
        error /= 2
        if len(values) >= n and min(_tails(values[:n], low, high, inside=False)) <= error:
            return Decision.FAILS
    needed = _counts(plan.fails_by_sign, plan.level / 4)
    for n, k in zip(plan.fails_by_sign, needed, strict=True):
        if len(values) >= n and max(sum(v > high for v in values[:n]), sum(v < low for v in values[:n])) >= k:
            return Decision.FAILS
    return Decision.UNDECIDED


def futile(
    values: Sequence[float], low: float, high: float, plan: FewModelsPlan, budget: int, fresh: Sequence[float] = ()
) -> bool:
    """Whether the models so far say that further ones will not decide: with a chance of less than one in ten.

    >>> near = [4.15, 4.3, 3.9, 4.2, 4.4, 3.8, 4.1, 4.2, 3.95, 4.3, 4.05, 4.2]
    >>> plan = FewModelsPlan(2.5e-7, 1e-3)
    >>> futile(near, 0.25, 4.0, plan, 80), futile([9.0, 8.0, 10.0], 0.25, 4.0, plan, 80)
    (True, False)

    Args:
        values: of the models so far.
        low, high, plan: as for ``screen``.
        budget: most models.
        fresh: the last of the values, those that ``confirm`` has seen.
    """
    beyond = max(sum(v > high for v in values), sum(v < low for v in values))
    n = len(values)
    if 2 * beyond > n:
        chances = [0.0]
        left = budget - n + len(fresh)
        known = max(sum(v > high for v in fresh), sum(v < low for v in fresh))
        one_beyond = _one_beyond(values, low, high)
        for size, k in zip(plan.fails_by_sign, _counts(plan.fails_by_sign, plan.level / 4), strict=True):
            if len(fresh) < size <= left:
                more = size - len(fresh)
                if n < _TOLD:
                    chances.append(_foreseen_at_least(k - known, more, beyond, n))
                else:
                    chances.append(_at_least(k - known, more, max((beyond + 0.5) / (n + 0.5), one_beyond)))
        for size in plan.fails_by_spread:
            if len(fresh) < size <= left:
                chances.append(float(_foreseen(values, low, high, size) <= plan.level / 16))
        return max(chances) < _HOPELESS
    inside = n - beyond
    last, k = plan.holds_by_sign[-1], _counts(plan.holds_by_sign, plan.beta / 2)[-1]
    return n >= plan.holds_by_sign[0] and _at_least(k - inside, last - n, (inside + 0.5) / (n + 1)) < _HOPELESS


def siblings_needed(siblings: int, level: float) -> int:
    """Models in which one and the same of n siblings must be the extreme one.

    Exchangeable siblings agree with the first model's extreme one in K - 1 further models with probability
    n^-(K-1), whatever their law and however they depend on one another.

    >>> [siblings_needed(n, 1e-6) for n in (7, 12, 200)]
    [9, 7, 4]
    """
    if siblings < 2:
        raise ValueError(f"siblings={siblings!r}: one tensor has none to be compared with")
    return 1 + math.ceil(-math.log(level) / math.log(siblings) - 1e-9)


def student_tail(t: float, freedom: int) -> float:
    """P(T > t) of Student's law with a whole number of degrees of freedom (Abramowitz & Stegun 26.7.3 and 26.7.4).

    >>> round(student_tail(2.015, 5), 4), round(student_tail(-31.6, 2), 4)
    (0.05, 0.9995)
    """
    if math.isnan(t):
        return 1.0
    if math.isinf(t):
        return 0.0 if t > 0 else 1.0
    angle = math.atan(abs(t) / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    term = total = cosine if freedom % 2 else 1.0
    for i in range(2 if freedom % 2 else 1, freedom - 1, 2):
        term *= cosine**2 * i / (i + 1)
        total += term
    inside = 2 / math.pi * (angle + (sine * total if freedom > 1 else 0.0)) if freedom % 2 else sine * total
    tail = max(0.0, (1.0 - inside) / 2)
    return tail if t >= 0 else 1.0 - tail


def _statistics(values: Sequence[float], low: float, high: float) -> tuple[float, float, float, float] | None:
    """Mean, its standard error, and the edges, on the scale of the band; None where a value has no place on it."""
    growths = low >= 0
    if any(math.isnan(v) or (growths and not v > 0) for v in values):
        return None
    if any(math.isinf(v) for v in values):
        return None
    scaled = [math.log(v) if growths else v for v in values]
    n = len(scaled)
    mean = math.fsum(scaled) / n
    error = math.sqrt(math.fsum((v - mean) ** 2 for v in scaled) / (n - 1) / n)
    edges = (math.log(low) if low > 0 else -math.inf, math.log(high)) if growths else (low, high)
    return mean, error, *edges


def _tails(values: Sequence[float], low: float, high: float, *, inside: bool) -> tuple[float, float]:
    """How well chance explains a mean this far inside, or beyond, were it on the lower or the upper edge."""
    found = _statistics(values, low, high)
    if found is None:
        return 1.0, 1.0
    mean, error, below, above = found
    sign, freedom = (1 if inside else -1), len(values) - 1
    return (
        student_tail(_ratio(sign * (mean - below), error), freedom),
        student_tail(_ratio(sign * (above - mean), error), freedom),
    )


def _foreseen(values: Sequence[float], low: float, high: float, size: int) -> float:
    """The tail that so many models would give if they were spread as the ones so far."""
    found = _statistics(values, low, high)
    if found is None:
        return 1.0
    mean, error, below, above = found
    later = error * math.sqrt(len(values) / size) / 1.5  # hope for a little less spread
    distance = max(mean - above, below - mean)
    return student_tail(_ratio(distance, later), size - 1)


def _one_beyond(values: Sequence[float], low: float, high: float) -> float:
    """The chance that one further model lies beyond an edge, were all spread as the ones so far."""
    found = _statistics(values, low, high)
    if found is None:
        return 0.0
    mean, error, below, above = found
    spread = error * math.sqrt(len(values) + 1)
    return 1.0 - student_tail(_ratio(max(mean - above, below - mean), spread), len(values) - 1)


def _ratio(distance: float, error: float) -> float:
    if math.isinf(distance):
        return distance
    return distance / error if error > 0 else math.copysign(math.inf, distance) if distance else 0.0


def _at_least(k: int, n: int, chance: float) -> float:
    """P(Bin(n, chance) >= k)."""
    if k <= 0:
        return 1.0
    return math.fsum(math.comb(n, i) * chance**i * (1 - chance) ** (n - i) for i in range(k, n + 1))


def _foreseen_at_least(k: int, size: int, beyond: int, n: int) -> float:
    """P(at least k of so many further models lie beyond) after ``beyond`` of n did, from Jeffreys' prior.

    Three models leave the chance of one wide open; the fraction of a dozen that lies beyond tells it.

    >>> [round(_foreseen_at_least(k, 50, beyond, 3), 2) for k, beyond in ((1, 3), (44, 3), (44, 2))]
    [1.0, 0.66, 0.15]
    """
    a, b = beyond + 0.5, n - beyond + 0.5

    def term(i: int) -> float:
        chosen = math.lgamma(size + 1) - math.lgamma(i + 1) - math.lgamma(size - i + 1)
        drawn = math.lgamma(i + a) + math.lgamma(size - i + b) - math.lgamma(size + a + b)
        return math.exp(chosen + drawn - math.lgamma(a) - math.lgamma(b) + math.lgamma(a + b))

    return math.fsum(term(i) for i in range(max(k, 0), size + 1))


def _counts(sizes: tuple[int, int], error: float) -> tuple[int, ...]:
    return thresholds(sizes, error)
