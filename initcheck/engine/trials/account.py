"""What a property says of its cases, kept: what holds, what is open, what was not asked, what a reader should know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from initcheck.claims.subject import Subject
from initcheck.claims.trial import CaseFailed, NotAsked
from initcheck.contract.case import Case
from initcheck.draws.call import BrokenCall, FirstCall
from initcheck.draws.draw_plan import planned_calls, usual_calls
from initcheck.draws.streams import Stream
from initcheck.report.verdict import Evidence
from initcheck.statistics import Record

Kept = TypeVar("Kept")

# A fan that reads the same whichever axis is the input.
_SYMMETRIC = ("fan_avg", "fan_max")


class Account:
    """The part that every kind of trial has (``initcheck.claims.trial.Trial`` says what each method does).

    Attributes:
        subject: what is on trial.
        dtype: the dtype asked for.
        decided: the cases that hold.
        undecided: why cases stay open.
        not_asked: why cases were set aside, and how many.
        moot: what calls did that gave no weights.
        notes: topic -> sentence.
    """

    def __init__(self, subject: Subject, dtype: str | None = None, beside: Account | None = None) -> None:
        self.subject = subject
        self.initializer = subject.initializer
        self.contract = subject.contract
        self.draws = subject.draws
        self.dtype = dtype or self.contract.dtypes[0]
        # Beside another account: what is said here is said there.
        self.decided: list[Evidence] = beside.decided if beside else []
        self.undecided: list[str] = beside.undecided if beside else []
        self.not_asked: dict[str, int] = beside.not_asked if beside else {}
        self.moot: list[str] = beside.moot if beside else []
        self.notes: dict[str, str] = beside.notes if beside else {}
        self._kept: dict[str, Any] = beside.kept_in(self.dtype) if beside else {}

    def marked(self) -> Callable[[], None]:
        """Mark what was said so far; the result takes back all that is said behind it, but for its errors' budget."""
        lists: list[tuple[list[Any], int]] = [(said, len(said)) for said in (self.decided, self.undecided, self.moot)]
        tables: list[tuple[dict[Any, Any], dict[Any, Any]]] = [(t, dict(t)) for t in (self.not_asked, self.notes)]

        def back() -> None:
            for said, length in lists:
                del said[length:]
            for table, was in tables:
                table.clear()
                table.update(was)

        return back

    def asks(self, condition: bool, otherwise: str) -> None:
        """Go on only where ``condition`` is true."""
        if not condition:
            raise NotAsked(otherwise)

    def asks_layout(self, layer: Case) -> None:
        """Go on only where the meaning of the axes does not matter or is more than assumed."""
        assumed = self.contract.origins.get("layout") == "assumed" and self.contract.fan not in _SYMMETRIC
        self.asks(not assumed or layer.is_square, "the layout was assumed: which axis is the input cannot be known")

    def fail(self, layer: Case | None = None, **evidence: object) -> NoReturn:
        """Fail this case."""
        raise CaseFailed(self._evidence(layer, **evidence))

    def holds(self, layer: Case | None = None, **evidence: object) -> None:
        """Say that this case holds."""
        self.decided.append(self._evidence(layer, **evidence))

    def undecide(self, why: str) -> None:
        """Say that this case was not decided."""
        self.undecided.append(why)

    def note(self, sentence: str, *, topic: str | None = None) -> None:
        """Tell the reader something beside the verdict."""
        self.notes[topic or sentence] = sentence

    def glances(self, layer: Case, far: Callable[[int], float]) -> None:
        """Go on: here is more than a glance."""

    def needs_second_moment(self) -> None:
        """Leave the case open where a second moment is not shown to exist."""
        if not self.subject.second_moment_exists:
            self.undecide("a second moment is not shown to exist: the tail of the weights is too heavy")

    def once(self, what: str, make: Callable[[], Kept]) -> Kept:
        """Make something on first use, and keep it."""
        if what not in self._kept:
            self._kept[what] = make()
        kept: Kept = self._kept[what]
        return kept

    def kept_in(self, dtype: str) -> dict[str, Any]:
        """What is kept by ``once`` for another dtype than this one's; this one's own where it is the same."""
        return self._kept if dtype == self.dtype else self.once(f"kept in {dtype}", dict)

    def first_call(self, layer: Case, dtype: str | None = None) -> FirstCall:
        """What the first call on a case gave, beside its weights."""
        return self.draws.first_call(layer, dtype or self.dtype)

    def usual_calls(self, layer: Case) -> int:
        """How many calls a first look at a band takes."""
        return usual_calls(layer)

    def planned_calls(self, layer: Case) -> int:
        """How many calls of the screen every claim reads: the usual ones where calls are dear."""
        return usual_calls(layer) if self.subject.dear_calls else planned_calls(layer)

    def records(self, layer: Case, stream: Stream, calls: int) -> Record:
        """The sums of the first calls of a stream."""
        record = self.draws.records(layer, self.dtype, stream, calls)
        if (layer, self.dtype) in self.draws.nonfinite:
            raise BrokenCall("not finite", self.draws.nonfinite[layer, self.dtype])
        return record

    def _evidence(self, layer: Case | None, **fields: object) -> Evidence:
        if layer is not None:
            fields.setdefault("case", layer.described(self.dtype))
            fields.setdefault("shape", layer.shape)
            fields.setdefault("dtype", self.dtype)
            fields.setdefault("weights", int(fields.get("calls", 0) or 0) * layer.weights)  # type: ignore[call-overload]
        return Evidence(**fields)  # type: ignore[arg-type]


def point(layer: Case, ratio: float, band: tuple[float, float]) -> dict[str, list[Any]]:
    """One point of the picture of variance against width."""
    return {"variance_by_width": [[layer.fan_in, float(f"{ratio:.4g}"), *band]]}
