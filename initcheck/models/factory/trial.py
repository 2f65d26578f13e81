"""One claim against one model: what it may ask of the builds, and the verdict it comes to."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from initcheck.models.factory.declared import DeclaredLaw
from initcheck.models.factory.facts import Facts
from initcheck.models.factory.few_models import FewModelsPlan, confirm, futile, screen
from initcheck.models.signals.signal import Signal
from initcheck.report.verdict import Evidence, Verdict
from initcheck.statistics import Decision

__all__ = ["STATISTICAL_CLAIMS", "ModelTrial"]

STATISTICAL_CLAIMS = 5
"""They share alpha: the law of untraced siblings, the declared law of untraced tensors, signal, gradient, loss."""


@dataclass
class ModelTrial:
    """What a claim of kind ``model`` is given.

    Attributes:
        facts: the builds.
        laws: the declared laws.
        alpha, beta: error rates of the run.
        failures, doubts, notes: what the claim found, as sentences, in order.
        measured, allowed: of what was measured, in words.
        moot: why the claim does not apply, where it does not.
    """

    facts: Facts
    laws: Sequence[DeclaredLaw] = ()
    alpha: float = 1e-6
    beta: float = 1e-3
    failures: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    measured: str | None = None
    allowed: str | None = None
    value: float | None = None
    band: tuple[float, float] | None = None
    moot: str | None = None
    likely: str | None = None
    fix: str | None = None
    error_spent: float | None = None
    series: dict[str, list[Any]] = field(default_factory=dict)

    def fails(self, sentence: str, *, likely: str | None = None, fix: str | None = None) -> None:
        """Say what is wrong: tensor, entries, call site."""
        self.failures.append(sentence)
        self.likely, self.fix = self.likely or likely, self.fix or fix

    def doubts_that(self, sentence: str) -> None:
        """Say what the builds that were made cannot decide, and what would."""
        self.doubts.append(sentence)

    def note(self, sentence: str) -> None:
        """Say what a reader should know and nobody is blamed for."""
        self.notes.append(sentence)

    def not_applicable(self, reason: str) -> None:
        """Say why the claim has no subject here."""
        self.moot = self.moot or reason

    @property
    def level(self) -> float:
        """This claim's share of alpha."""
        return self.alpha / STATISTICAL_CLAIMS

    def median_keeps(
        self,
        values_of: Callable[[Signal], Sequence[float | None]],
        low: float,
        high: float,
        names: Sequence[str],
        what: str,
    ) -> None:
        """Hold the median over models of several numbers (one a chain of blocks) to a band.

        Args:
            values_of: the numbers of one model's signal, in the order of ``names``; None where it has none.
            low, high: the band.
            names: what each number belongs to.
            what: what is measured, in words.
        """
        self.allowed = f"[{low:.4g}, {high:.4g}]" if low > float("-inf") else f"at most {high:.4g}"
        self.band = (low, high) if low > float("-inf") else None
        plan = FewModelsPlan(self.level / len(names), self.beta)
        decided = [
            self._one_median(functools.partial(_of_chain, values_of, i), low, high, plan, n, what)
            for i, n in enumerate(names)
        ]
        known = [v for v in decided if v is not None]
        if not known:
            self.not_applicable(f"there is no {what}: it is zero from the middle block on (behind a zero layer, say)")
            return
        worst = max(
            known,
            key=lambda v: max(v / high, low / v if v > 0 and low > 0 else float(v == 0 and low > 0) * 1e300),
        )
        self.measured, self.value = f"{worst:.3g}", worst
        self.error_spent = plan.level if self.failures else self.beta

    def draws_signal(self, direction: str) -> None:
        """Leave the second moments of the longest chain for the picture, as log10 relative to its first block."""
        longest = max(self.facts.first.looks["signal"].chains, key=lambda chain: len(chain.forward))
        energies = longest.forward if direction == "forward" else tuple(reversed(longest.backward))
        if energies and energies[0] > 0:
            rows = [[i + 1, math.log10(e / energies[0])] for i, e in enumerate(energies) if e > 0]
            self.series["signal_by_depth" if direction == "forward" else "gradient_by_depth"] = rows
        ratios = (
            [e / energies[len(energies) // 2 - 1] for e in energies]
            if energies and energies[len(energies) // 2 - 1]
            else []
        )
        late = range(len(energies) // 2, len(ratios))
        first_out = next((i for i in late if not 0.25 <= ratios[i] <= 4.0), None)
        if first_out is not None:
            blocks = longest.blocks if direction == "forward" else tuple(reversed(longest.blocks))
            self.note(f"the first block out of the band is {blocks[first_out]}")

    def _one_median(
        self,
        value_of: Callable[[Signal], float | None],
        low: float,
        high: float,
        plan: FewModelsPlan,
        name: str,
        what: str,
    ) -> float | None:
        budget = self.facts.budget
        first = [value_of(s) for s in self.facts.signals(min(plan.holds_by_spread[0], budget))]
        if any(v is None for v in first):
            return None
        values = [v for v in first if v is not None]
        decision = screen(values, low, high, plan)
        for n in sorted({*plan.holds_by_spread[1:], *plan.holds_by_sign}):
            if decision is Decision.UNDECIDED and n <= budget and not futile(values, low, high, plan, budget):
                values = self._values(value_of, 0, n)
                decision = screen(values, low, high, plan)
        middle = sorted(values)[len(values) // 2]
        if decision is Decision.HOLDS:
            return middle
        where = f" of {name}" if name else ""
        if decision is Decision.UNDECIDED:
            more = next(
                (n for n in sorted({*plan.holds_by_spread, *plan.holds_by_sign}) if n > max(len(values), budget)), None
            )
            rest = f"; {more} may decide (models={more})" if more is not None else ""
            self.doubts_that(f"{what}{where} {middle:.3g}, too near an edge for {len(values)} models{rest}")
            return middle
        start = tried = len(values)
        for n in (*plan.fails_by_spread, *plan.fails_by_sign):
            if start + n > budget or futile(values, low, high, plan, budget):
                break
            tried = start + n
            if confirm(self._values(value_of, start, n), low, high, plan) is Decision.FAILS:
                self.fails(f"{what}{where} is {middle:.3g}, allowed {self.allowed}; {n} further models agree")
                return middle
        more = next((start + n for n in (*plan.fails_by_spread, *plan.fails_by_sign) if start + n > budget), None)
        hopeful = more is not None and not futile(values, low, high, plan, 1_000)
        rest = f"; {more} models in all may decide (models={more})" if hopeful else ""
        self.doubts_that(
            f"{what}{where} {middle:.3g} in {tried} models, beyond the edge too rarely or by too little{rest}"
        )
        return middle

    def _values(self, value_of: Callable[[Signal], float | None], start: int, n: int) -> list[float]:
        found = [value_of(s) for s in self.facts.signals(start + n)[start:]]
        return [float("nan") if v is None else v for v in found]

    @property
    def verdict(self) -> Verdict:
        """What it comes to: one failure fails, one doubt leaves it open."""
        if self.failures:
            return Verdict.FAILS
        if self.doubts:
            return Verdict.UNDECIDED
        return Verdict.NOT_APPLICABLE if self.moot else Verdict.HOLDS

    @property
    def reason(self) -> str | None:
        """Why it is UNDECIDED or NOT APPLICABLE."""
        if self.verdict is Verdict.UNDECIDED:
            return "; ".join(self.doubts[:3]) + (f"; and {len(self.doubts) - 3} more" if len(self.doubts) > 3 else "")
        return self.moot if self.verdict is Verdict.NOT_APPLICABLE else None

    def evidence(self) -> Evidence:
        """What stands behind the verdict."""
        shown = tuple(self.failures[1:6])
        more = len(self.failures) - 6
        return Evidence(
            measured=self.measured,
            allowed=self.allowed,
            value=self.value,
            band=self.band,
            case=self.failures[0] if self.failures else None,
            calls=self.facts.builder.count,
            error_spent=self.error_spent,
            detail=(*shown, f"and {more} more") if more > 0 else shown,
            likely=self.likely,
            fix=self.fix,
            series=self.series,
        )


def _of_chain(values_of: Callable[[Signal], Sequence[float | None]], position: int, signal: Signal) -> float | None:
    values = values_of(signal)
    return values[position] if position < len(values) else None
