"""One claim against two starts: what it may ask of the comparison, and the verdict it comes to."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from initcheck.comparison.exchange import Answer
from initcheck.comparison.parts import Compared, Comparison
from initcheck.engine.whole_trial import WholeTrial
from initcheck.report.verdict import Evidence

__all__ = ["PairTrial"]


@dataclass
class PairTrial(WholeTrial):
    """What a claim of kind ``pair`` is given.

    Attributes:
        comparison: both starts, part by part.
        shown: the part that gives the cause, the fix and the picture.
    """

    comparison: Comparison
    shown: Compared | None = None
    listed: ClassVar[int] = 8

    def same(self) -> Sequence[Compared]:
        """The parts that have one law."""
        return self.comparison.of(Answer.SAME)

    def different(self) -> Sequence[Compared]:
        """The parts that have two, the clearest first."""
        return sorted(self.comparison.of(Answer.DIFFERENT), key=_clearness)

    def of_other_causes(self) -> Sequence[Compared]:
        """Of the parts that differ for another reason than the clearest one, the clearest of each reason."""
        found: dict[str | None, Compared] = {}
        for part in self.different():
            found.setdefault(part.cause, part)
        return list(found.values())[1:]

    def undecided(self) -> Sequence[Compared]:
        """The parts of which neither is shown."""
        return self.comparison.of(Answer.UNDECIDED)

    def differs(self, sentence: str, part: Compared | None = None) -> None:
        """Say what differs; the first part that is named gives the cause, the fix and the picture."""
        self.shown = self.shown or part
        self.fails(sentence)

    def evidence(self, calls: int) -> Evidence:
        """What stands behind the verdict."""
        shown = self.shown
        exchange = shown.exchange if shown is not None else None
        return dataclasses.replace(
            super().evidence(calls),
            weights=self.comparison.weights,
            e_value_log10=exchange.log10_e if exchange is not None else None,
            error_spent=self.alpha if self.failures else self.beta,
            likely=shown.cause if shown is not None else None,
            fix=shown.fix if shown is not None else None,
            series=dict(shown.pictures) if shown is not None else {},
        )


def _clearness(part: Compared) -> tuple[bool, int, float]:
    """Matrices first, for what is wrong with a bias is seldom what is looked for; then what took the fewest pairs."""
    shown = part.exchange
    vector = sum(n > 1 for n in part.shape) < 2
    return (vector, shown.pairs, -shown.log10_e) if shown is not None else (vector, 0, 0.0)
