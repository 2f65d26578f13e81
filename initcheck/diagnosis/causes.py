"""A likely cause with its fix, the topics of claims it can explain, and the formulas it is worded in."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Cause", "cause", "claim_topic"]


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
