"""What claims are about, and a likely cause with its fix and the topics it can explain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["TOPICS", "Cause", "cause"]


@dataclass(frozen=True)
class Cause:
    """Why a claim is likely to fail.

    Attributes:
        sentence: the likely cause, to be read after 'likely'.
        fix: what to write instead.
        topics: of what claims it can be the cause, keys of ``TOPICS``; empty for all.
    """

    sentence: str
    fix: str
    topics: frozenset[str] = frozenset()

    def explains(self, topic: str | None) -> bool:
        """Whether it can be the cause of a failing claim of that topic; None for a claim of any."""
        return topic is None or not self.topics or topic in self.topics


TOPICS: Mapping[str, str] = {
    "promises": "what any call owes: a result of the shape and dtype asked for, and finite",
    "memory": "whose memory the weights lie in",
    "randomness": "what the seed decides, and what one call tells of another",
    "globals": "what a call leaves behind in the process",
    "entries": "what the entries of one result tell of one another",
    "symmetry": "whether units can be told apart",
    "centering": "the mean of the weights",
    "scale": "the second moment of what a layer puts out, or hands back",
    "law": "how the variance of the weights follows their shape",
    "depth": "what is left of a signal, or of a gradient, after many layers",
    "distribution": "the marginal law of the weights",
    "precision": "what a narrow dtype leaves of them",
    "orthogonality": "whether rows or columns are orthogonal, and point everywhere alike",
    "loss": "the first loss of a model",
}
"""What a claim may be about, and in what words; a cause says which of these it can explain."""


def cause(sentence: str, fix: str, topics: str = "") -> Cause:
    """Make a cause of the topics named in one string, such as ``"scale depth"``."""
    return Cause(sentence, fix, frozenset(topics.split()))
