"""The verdicts of a run with how it was made: what every word of a report is about."""

from __future__ import annotations

import functools
import importlib.metadata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from initcheck.errors import closest
from initcheck.grouping import grouped
from initcheck.report.verdict import Result, Verdict

_DECIDED = (Verdict.HOLDS, Verdict.FAILS, Verdict.WAIVED)


def installed_version() -> str:
    """The version of initcheck that is installed; empty in a checkout that never was."""
    try:
        return importlib.metadata.version("initcheck")
    except importlib.metadata.PackageNotFoundError:
        return ""


@dataclass(frozen=True, kw_only=True)
class Run:
    """How the run was made: enough to repeat it.

    Attributes:
        seed: the run seed that every draw derives from.
        profile: ``quick``, ``default`` or ``thorough``.
        alpha: bound on the probability of any false FAIL, per initializer.
        beta: bound on the probability that a HOLDS is wrong, per verdict.
        claims: number of claims that share alpha.
        version: of initcheck; ``libraries``: of what was loaded.
        command: the command line, where there was one.
        smallest_defect: claim id -> the smallest defect this run could find, worded; empty where not worked out.
    """

    seed: int = 0
    profile: str = "default"
    alpha: float = 1e-6
    beta: float = 1e-3
    claims: int = 0
    version: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)
    command: str | None = None
    smallest_defect: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class NotChecked:
    """Something that was not looked at, why, and what to write to have it checked.

    Attributes:
        name: as in ``Results.initializers``, or as it was named.
        reason: why nothing is known of it.
        call_to_write: a target text by which it can be checked.
        needed: whether a run that shows nothing of it does not pass: it was named itself, it promises something by an
            ``__initcheck__`` of its own, or the run had not come to its end. A bystander in a module that was named is
            not needed.
    """

    name: str
    reason: str
    call_to_write: str | None = None
    needed: bool = False


@dataclass(frozen=True, kw_only=True)
class Results:
    """The verdicts of a run.

    Attributes:
        run: how it was made.
        results: one a claim and initializer.
        contracts: what each initializer was held to: name -> contract as plain data, with origins and notes.
        not_checked: what was not looked at.
    """

    run: Run
    results: tuple[Result, ...]
    contracts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    not_checked: tuple[NotChecked, ...] = ()

    @property
    def ok(self) -> bool:
        """Something was decided of all that was named; nothing fails or waits for what does; no claim's code broke."""
        wanting = self.failures or self.broken or self.unanswered or self.unshown
        return not wanting and self.decided > 0

    @property
    def failures(self) -> tuple[Result, ...]:
        """The results whose verdict is FAILS."""
        return tuple(r for r in self.results if r.verdict is Verdict.FAILS)

    @property
    def broken(self) -> tuple[Result, ...]:
        """The results that say nothing because the claim's own code broke."""
        return tuple(r for r in self.results if r.broke)

    @property
    def decided(self) -> int:
        """Number of results that HOLD, FAIL or are WAIVED: a run with none of them checked nothing."""
        return sum(r.verdict in _DECIDED for r in self.results)

    @property
    def unanswered(self) -> tuple[Result, ...]:
        """What waits for a claim that fails and was neither asked nor waived, so that no finding speaks of it."""
        told = {(r.initializer, r.claim) for r in self.results}
        told.update((name, claim) for name, held_to in self.contracts.items() for claim in held_to.get("waive") or ())
        return tuple(r for r in self.results if r.waits_for and (r.initializer, r.waits_for) not in told)

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many results have each verdict."""
        found = Counter(r.verdict for r in self.results)
        return {v: found[v] for v in Verdict}

    @property
    def initializers(self) -> tuple[str, ...]:
        """Their names, in the order they were given."""
        return tuple(dict.fromkeys(r.initializer for r in self.results))

    @property
    def unshown(self) -> tuple[NotChecked, ...]:
        """What was not looked at, or not to the end, though it is needed: a run without it does not pass."""
        return tuple(n for n in self.not_checked if n.needed)

    @functools.cached_property
    def by_key(self) -> dict[tuple[str, str], Result]:
        """The results by initializer and claim."""
        return {(r.initializer, r.claim): r for r in self.results}

    def of(self, initializer: str) -> tuple[Result, ...]:
        """The results of one initializer."""
        return tuple(r for r in self.results if r.initializer == initializer)

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __getitem__(self, key: str | tuple[str, str]) -> Result:
        """``report["zero-mean"]``, or ``report["myinit:he", "zero-mean"]`` where there are several."""
        name, claim = key if isinstance(key, tuple) else (None, key)
        found = [r for r in self.results if r.claim == claim and name in (None, r.initializer)]
        if len(found) == 1:
            return found[0]
        if not found:
            valid = {r.claim for r in self.results} if name in (None, *self.initializers) else self.initializers
            raise KeyError(f"{key!r} is not in this report; {closest(str(claim if name is None else name), valid)}")
        raise KeyError(f"{claim!r} was asked of {len(found)} initializers; write report[NAME, {claim!r}].")


def shown_nothing(results: Iterable[Result], bystanders: Collection[str] = ()) -> Iterator[NotChecked]:
    """Those of which nothing was decided, and not because no claim speaks of them: who names one was shown nothing.

    It could not be made or run; or several claims were asked, and some of them ran out.

    Args:
        results: of a run.
        bystanders: names of those that are not needed.
    """
    for name, own in grouped((result.initializer, result) for result in results).items():
        if any(r.verdict in _DECIDED for r in own):
            continue
        why = [r for r in own if r.unread] or [r for r in own if r.verdict is Verdict.UNDECIDED and len(own) > 1]
        if why:
            reason = (why[0].reason or "").removeprefix(name).lstrip(", ")
            yield NotChecked(name=name, reason=reason, needed=name not in bystanders)
