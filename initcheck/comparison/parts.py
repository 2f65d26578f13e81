"""What was compared: one shape, one weight of a layer or one role of two models, with its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from initcheck.comparison.exchange import Answer, Exchange


@dataclass(frozen=True, kw_only=True)
class Terms:
    """On what terms two starts are compared.

    Attributes:
        profile: which shapes, how many sizes, and how finely.
        seed: of the run.
        alpha: bound on the probability that any part is called DIFFERENT that has one law; the parts share it.
        beta: bound on the probability that a part is called SAME that has two.
        deadline: on the clock of ``time.monotonic``, after which parts are left UNDECIDED.
    """

    profile: str = "default"
    seed: int = 0
    alpha: float = 1e-6
    beta: float = 1e-3
    deadline: float | None = None


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One part of two starts.

    Attributes:
        name: of the part, in words: ``(16, 32)``, ``blocks.*.attn.weight``.
        partner: what it is called in B, where that is another name.
        answer: whether it has one law.
        shape: in A.
        exchange: what the pairs show; None where bits decided, or nothing could be drawn.
        why: why it is UNDECIDED, or what decided it, where no pair did.
        laws: what A's and B's part seem to be, in words.
        cause, fix: of a difference.
        pictures: series for the report.
    """

    name: str
    answer: Answer
    shape: tuple[int, ...]
    partner: str = ""
    exchange: Exchange | None = None
    why: str = ""
    laws: tuple[str, str] = ("", "")
    cause: str | None = None
    fix: str | None = None
    pictures: Mapping[str, list[Any]] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The part in one sentence: where, how much, and on what it rests."""
        where = f"{self.name} ({self.partner} in B)" if self.partner and self.partner != self.name else self.name
        shown = self.exchange
        if shown is None:
            return f"{where}: {self.answer} ({self.why})" if self.why else f"{where}: {self.answer}"
        if self.answer is Answer.SAME:
            return (
                f"{where}: SAME within {100 * (shown.within - 1):.2g} % of a standard deviation ({shown.pairs} pairs)"
            )
        if self.answer is Answer.UNDECIDED:
            return f"{where}: {shown.pairs} pairs show neither; most in {shown.feature.name}"
        return f"{where}: DIFFERENT {shown.in_words} ({shown.pairs} pairs)"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two starts, part by part.

    Attributes:
        parts: what both have.
        missing: what one has and the other has not, one sentence each.
        notes: how they were compared.
        same_bits: seeds at which both gave the same bits everywhere; 0 where they did not.
        calls: calls, or builds, of each.
        weights: numbers that were drawn of both.
    """

    parts: Sequence[Compared]
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    same_bits: int = 0
    calls: int = 0
    weights: int = 0

    def of(self, answer: Answer) -> list[Compared]:
        """The parts with this answer."""
        return [p for p in self.parts if p.answer is answer]
