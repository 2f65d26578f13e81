"""A likely cause with its fix, the topics of claims it can explain, and the formulas it is worded in."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Cause", "cause", "claim_topic", "number", "over", "root"]


@dataclass(frozen=True)
class Cause:
    """Why a claim is likely to fail.

    Attributes:
        sentence: the likely cause, to be read after 'likely'.
        fix: what to write instead.
        topics: what kinds of claims it explains; empty for every kind.
    """

    sentence: str
    fix: str
    topics: frozenset[str] = frozenset()

    def explains(self, topic: str | None) -> bool:
        """Whether it can be the cause of a failing claim of that topic; None for any."""
        return topic is None or not self.topics or topic in self.topics


_TOPICS = {
    "promises": ("accepts-every-shape", "returns-the-shape-asked", "returns-the-dtype-asked", "finite"),
    "memory": ("owns-its-memory",),
    "randomness": ("same-seed-same-weights", "calls-are-independent"),
    "globals": ("leaves-global-generators-alone",),
    "entries": ("entries-are-independent",),
    "symmetry": ("units-differ", "gradients-tell-units-apart"),
    "centering": ("zero-mean",),
    "scale": ("output-variance-near-one", "gradient-variance-near-one"),
    "law": ("variance-follows-one-law",),
    "depth": ("signal-survives-depth", "gradient-survives-depth"),
    "distribution": ("follows-its-distribution",),
    "precision": ("survives-its-precision",),
    "orthogonality": ("orthogonal-to-rounding", "haar-distributed"),
}
_TOPIC_OF = {claim: topic for topic, claims in _TOPICS.items() for claim in claims}


def claim_topic(claim: str | None) -> str | None:
    """Name what a claim is about: ``scale`` of ``output-variance-near-one``; None for a claim not of ours.

    >>> claim_topic("zero-mean")
    'centering'
    """
    return _TOPIC_OF.get(claim) if claim is not None else None


def cause(sentence: str, fix: str, topics: str = "") -> Cause:
    """Make a cause of the topics named in one string, such as ``"scale depth"``."""
    return Cause(sentence, fix, frozenset(topics.split()))


def number(value: float, within: float = 0.006) -> str:
    """Word a measured number: whole within 3 %, one or two digits within 0.6 % or ``within``, else three digits.

    >>> number(1.98), number(0.00999), number(0.3338)
    ('2', '0.01', '0.334')
    """
    whole = round(value)
    if whole and abs(value / whole - 1) < 0.03:
        return str(whole)
    short = next((t for t in (f"{value:.1g}", f"{value:.2g}") if abs(float(t) / value - 1) < within), None)
    return short or f"{value:.3g}"


def over(power: float, fan: str) -> str:
    """Word power / fan, the mean of both fans as their sum: ``2/(fan_in + fan_out)``."""
    if fan == "fan_avg":
        return f"{number(2 * power)}/(fan_in + fan_out)"
    return f"{number(power)}/{'max(fan_in, fan_out)' if fan == 'fan_max' else fan}"


def root(power: float, fan: str) -> str:
    """Word sqrt(power / fan): ``1/sqrt(fan_in)``, ``sqrt(6/fan_in)``."""
    text = over(power, fan)
    return f"1/sqrt({text[2:]})" if text.startswith("1/") and fan != "fan_avg" else f"sqrt({text})"
