"""One claim against one model: what it may ask of the builds, and the verdict it comes to."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from initcheck.engine.whole_trial import WholeTrial
from initcheck.models.factory.declared import DeclaredLaw
from initcheck.models.factory.facts import Facts
from initcheck.models.factory.few_models import FewModelsPlan, confirm, futile, screen
from initcheck.models.signals.signal import Signal
from initcheck.statistics import Decision

STATISTICAL_CLAIMS = 5
"""They share alpha: the law of untraced siblings, the declared law of untraced tensors, signal, gradient, loss."""


@dataclass(frozen=True)
class RuleFinding:
    """What a rule found: ``fails``, ``doubt`` or ``note``, its sentence, and of a failure its likely cause and fix."""

    kind: str
    sentence: str
    likely: str | None = None
    fix: str | None = None


@dataclass
class ModelTrial(WholeTrial):
    """What a claim of kind ``model`` is given.

    Attributes:
        facts: the builds.
        laws: the declared laws.
    """

    facts: Facts
    laws: Sequence[DeclaredLaw] = ()

    @property
    def level(self) -> float:
        """This claim's share of alpha."""
        return self.alpha / STATISTICAL_CLAIMS

    def says(self, findings: Iterable[RuleFinding]) -> None:
        """Say what a rule found, each as what it is."""
        for found in findings:
            if found.kind == "fails":
                self.fails(found.sentence, likely=found.likely, fix=found.fix)
            else:
                (self.note if found.kind == "note" else self.doubts_that)(found.sentence)

    def median_keeps(
        self,
        values_of: Callable[[Signal], Sequence[float | None]],
        low: float,
        high: float,
        names: Sequence[str],
        what: str,
        cause_of: Callable[[int, float], tuple[str | None, str | None]] = lambda *_: (None, None),
    ) -> None:
        """Hold the median over models of several numbers (one a chain of blocks) to a band.

        Args:
            values_of: the numbers of one model's signal, in the order of ``names``; None where it has none.
            low, high: the band.
            names: what each number belongs to.
            what: what is measured, in words.
            cause_of: the likely cause and its fix, asked of what fails: its place among the numbers, its median.
        """
        self.allowed = f"[{low:.4g}, {high:.4g}]" if low > float("-inf") else f"at most {high:.4g}"
        self.band = (low, high) if low > float("-inf") else None
        plan = FewModelsPlan(self.level / len(names), self.beta)
        decided = [
            self._one_median(
                functools.partial(_of_chain, values_of, i), low, high, plan, n, what, functools.partial(cause_of, i)
            )
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
        if first_out is not None and self.failures:
            blocks = longest.blocks if direction == "forward" else tuple(reversed(longest.blocks))
            what = "signal" if direction == "forward" else "gradient"
            self.note(f"the first block whose {what} leaves the band is {blocks[first_out]}")

    def _one_median(
        self,
        value_of: Callable[[Signal], float | None],
        low: float,
        high: float,
        plan: FewModelsPlan,
        name: str,
        what: str,
        cause: Callable[[float], tuple[str | None, str | None]],
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
            # What the confirmation has drawn so far tells of the rest too; to stop is never a FAILS.
            seen = self._values(value_of, 0, tried)
            if start + n > budget or futile(seen, low, high, plan, budget, seen[start:]):
                break
            tried = start + n
            if confirm(self._values(value_of, start, n), low, high, plan) is Decision.FAILS:
                likely, fix = cause(middle)
                self.fails(
                    f"{what}{where} is {middle:.3g}, allowed {self.allowed}; {n} further models agree",
                    likely=likely,
                    fix=fix,
                )
                return middle
        more = next((start + n for n in (*plan.fails_by_spread, *plan.fails_by_sign) if start + n > budget), None)
        hopeful = more is not None and not futile(self._values(value_of, 0, tried), low, high, plan, 1_000)
        rest = f"; {more} models in all may decide (models={more})" if hopeful else ""
        self.doubts_that(
            f"{what}{where} {middle:.3g} in {tried} models, beyond the edge too rarely or by too little{rest}"
        )
        return middle

    def _values(self, value_of: Callable[[Signal], float | None], start: int, n: int) -> list[float]:
        found = [value_of(s) for s in self.facts.signals(start + n)[start:]]
        return [float("nan") if v is None else v for v in found]


def _of_chain(values_of: Callable[[Signal], Sequence[float | None]], position: int, signal: Signal) -> float | None:
    values = values_of(signal)
    return values[position] if position < len(values) else None
