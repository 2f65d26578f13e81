"""What claims are about, a likely cause with its fix, and the rules that find one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

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
    "contract": "what the contract says, before any weight is drawn",
}
"""What a claim may be about, and in what words; a cause says which of these it can explain."""

Seen = TypeVar("Seen")


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


@dataclass(frozen=True)
class Rule(Generic[Seen]):
    """A cause and what must be seen for it; called with what was seen, it gives the cause or None.

    >>> rule = Rule(lambda seen: seen.real == 0 and {"what": "nothing"}, "{what} is left of {imag:g}", "ask", "scale")
    >>> rule(3j).sentence, rule(1 + 3j)
    ('nothing is left of 3', None)

    Attributes:
        sees: what it finds in what was seen: words for the sentence and the fix, or True; None or False where nothing.
        sentence, fix: of the cause; the words in braces are those found, else attributes of what was seen.
        topics: what it explains, in one string.
    """

    sees: Callable[[Seen], Mapping[str, object] | bool | None]
    sentence: str
    fix: str
    topics: str = ""

    def __call__(self, seen: Seen) -> Cause | None:
        """The cause, where this rule finds what it looks for."""
        found = self.sees(seen)
        if found is None or found is False:
            return None
        words = _Words(seen, {} if found is True else found)
        return cause(self.sentence.format_map(words), self.fix.format_map(words), self.topics)


class _Words(dict[str, object]):
    """The words that a rule found; any other is read off what was seen."""

    def __init__(self, seen: object, found: Mapping[str, object]) -> None:
        super().__init__(found)
        self._seen = seen

    def __missing__(self, word: str) -> object:
        return getattr(self._seen, word)


def cause(sentence: str, fix: str, topics: str = "") -> Cause:
    """Make a cause of the topics named in one string, such as ``"scale depth"``."""
    return Cause(sentence, fix, frozenset(topics.split()))


def first_cause(rules: Iterable[Callable[[Seen], Cause | None]], seen: Seen) -> Cause | None:
    """The first cause that one of the rules gives, in their order."""
    return next((found for rule in rules if (found := rule(seen)) is not None), None)
