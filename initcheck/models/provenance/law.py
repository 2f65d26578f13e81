"""The law that every entry of a tensor was drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from initcheck.contract.standard_laws import truncated_moments
from initcheck.models.provenance.steps import Site


@dataclass(frozen=True)
class Law:
    """The law of every entry of a tensor, as its draw names it.

    Attributes:
        family: ``normal``, ``uniform``, ``truncated_normal``, ``orthogonal``, ``sparse``, ``constant``, ``derived``
            (a random tensor computed from draws), ``fixed`` (computed without a draw) or ``untraced`` (no operation
            was seen).
        mean, std: of one entry; None where they are not named by the arguments.
        low, high: the ends of its support.
        text: the law in words.
        site: file and line that drew it, or wrote it last.
        sigma: standard deviation before a cut; both are known, and a declared law may mean either.
        recipe: names and numbers of the operations a derived tensor comes from.
    """

    family: str
    mean: float | None = None
    std: float | None = None
    low: float = -math.inf
    high: float = math.inf
    text: str = ""
    site: Site | None = None
    sigma: float | None = None
    recipe: frozenset[Any] = frozenset()

    @property
    def signature(self) -> tuple[object, ...]:
        """What two tensors of one law have in common; numbers to six digits."""
        numbers = (self.mean, self.std, self.low, self.high)
        return (self.family, *(None if v is None else float(f"{v:.6g}") for v in numbers), self.recipe)

    @property
    def named(self) -> bool:
        """Whether the arguments name a standard deviation above 0."""
        return self.std is not None and self.std > 0.0

    @property
    def stds(self) -> tuple[float, ...]:
        """The standard deviations that may be meant: of an entry, and before a cut."""
        return tuple(v for v in (self.std, self.sigma) if v is not None)


UNTRACED = Law("untraced", text="no operation of torch wrote it")


def normal(mean: float, std: float) -> Law:
    """A normal law."""
    return Law("normal", mean, abs(std), text=f"normal{_centre(mean, std)} std {abs(std):.4g}")


def uniform(low: float, high: float) -> Law:
    """A uniform law between two ends."""
    low, high = min(low, high), max(low, high)
    std, mean = (high - low) / math.sqrt(12.0), (low + high) / 2
    text = f"uniform{_centre(mean, std)} std {std:.4g}" if _centre(mean, std) else f"uniform +-{high:.4g}"
    return Law("uniform", mean, std, low, high, text)


def constant(value: float) -> Law:
    """One number everywhere."""
    return Law("constant", value, 0.0, value, value, f"constant {value:.4g}")


def truncated(mean: float, sigma: float, low: float, high: float) -> Law:
    """A normal of standard deviation sigma whose values beyond low and high are drawn again.

    >>> law = truncated(0.0, 1.0, -2.0, 2.0)
    >>> round(law.std, 4), law.sigma
    (0.8796, 1.0)
    """
    sigma = abs(sigma)
    if not sigma or not low < high:
        return constant(min(max(mean, low), high))
    a, b = (low - mean) / sigma, (high - mean) / sigma
    inside = (math.erf(b / math.sqrt(2)) - math.erf(a / math.sqrt(2))) / 2
    if inside < 1e-12:
        return Law(
            "derived", text="a normal cut far from its mean", recipe=frozenset({("cut", mean, sigma, low, high)})
        )
    shift, variance = truncated_moments(a, b)
    mean, std = mean + sigma * shift, sigma * math.sqrt(variance)
    # Beyond four standard deviations a cut moves nothing that anybody could measure.
    cut = "" if std > 0.9999 * sigma else f" ({sigma:.4g} before the cut at {_ends(low, high)})"
    return Law(
        "truncated_normal",
        mean,
        std,
        low,
        high,
        f"truncated_normal{_centre(mean, std)} std {std:.4g}{cut}",
        sigma=sigma,
    )


def _ends(low: float, high: float) -> str:
    return f"+-{high:.4g}" if math.isclose(low, -high, rel_tol=1e-6) else f"{low:.4g} and {high:.4g}"


def _centre(mean: float, std: float) -> str:
    return f" mean {mean:.4g}" if mean and abs(mean) > 1e-9 * abs(std) else ""
