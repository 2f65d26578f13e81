"""The answers beside a sample of models, written before it is judged, and the run that holds a report against them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "CHANCE", "DECLARED", "DISTINCT", "GRADIENT", "INPUT", "LAW", "LOST", "REACHED", "REBUILD", "SIGNAL", "WRITERS",
    "WRITTEN", "Answers",
]  # fmt: skip

WRITTEN, DISTINCT, REBUILD = "every-tensor-is-written", "tensors-are-distinct", "rebuilds-the-same"
LAW, DECLARED, LOST = "siblings-share-one-law", "declared-laws-are-in-force", "nothing-special-is-lost"
SIGNAL, GRADIENT = "signal-survives-the-blocks", "gradient-survives-the-blocks"
CHANCE, INPUT = "starts-at-chance", "input-reaches-the-output"
WRITERS = "residual-writers-share-one-scaling"
REACHED = "gradient-reaches-every-tensor"


@dataclass(frozen=True)
class Answer:
    """Of one model: what is to be said, by which claim, in words that match ``cause``; empty where it is sound."""

    build: Callable[..., Any]
    claim: str = ""
    cause: str = ""
    verdict: str = "FAILS"
    batch: str | None = None
    laws: dict[str, str] | None = None


@dataclass
class Answers:
    """A sample, filled by its two decorators."""

    rows: dict[str, Answer] = field(default_factory=dict)

    def sound(self, batch: str | None = None, laws: dict[str, str] | None = None) -> Callable[[Any], Any]:
        """Nothing fails."""
        return self._noted(batch=batch, laws=laws)

    def broken(
        self,
        claim: str,
        cause: str,
        batch: str | None = None,
        verdict: str = "FAILS",
        laws: dict[str, str] | None = None,
    ) -> Callable[[Any], Any]:
        """The claim says so, its finding matches ``cause``."""
        return self._noted(claim=claim, cause=cause, verdict=verdict, batch=batch, laws=laws)

    def _noted(self, **words: Any) -> Callable[[Any], Any]:
        def noted(build: Any) -> Any:
            self.rows[build.__name__] = Answer(build, **words)
            return build

        return noted

    def run(self, names: list[str], *, show: bool = False) -> int:
        """Judge the named models, or all: a line a model, then how many verdicts and causes are the ones written."""
        from initcheck.doors.check_model import check_model

        chosen = {n: a for n, a in self.rows.items() if not names or n in names}
        right = caused = 0
        for name, answer in chosen.items():
            began = time.process_time()
            try:
                report = check_model(answer.build, batch=answer.batch, laws=answer.laws or {}, name=name)
            except Exception as error:
                print(f"WRONG  {name}: {type(error).__name__}: {error}", flush=True)
                continue
            said = {r.claim: r.verdict.value for r in report if r.verdict.value in ("FAILS", "UNDECIDED")}
            if answer.claim:
                verdict = said.get(answer.claim) == answer.verdict
                cause = verdict and re.search(answer.cause, str(report).replace(name, "")) is not None
            else:
                verdict, cause = "FAILS" not in said.values(), True
            right, caused = right + verdict, caused + (cause and bool(answer.claim))
            print(
                f"{'right' if verdict else 'WRONG'}{'' if cause else ' CAUSE'}  {name}:"
                f" {answer.claim and answer.verdict} {answer.claim or 'sound'}; {said or 'nothing'};"
                f" {time.process_time() - began:.1f} CPU s",
                flush=True,
            )
            if show:
                print(report, flush=True)
        asked = sum(bool(a.claim) for a in chosen.values())
        print(f"verdict {right} of {len(chosen)}, cause {caused} of {asked}")
        return int(right < len(chosen))
