"""A run's view of a target and its law file: the laws as they are now, beside those of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from initcheck.claims.statement import Claim
from initcheck.comparison.drawn import Drawn
from initcheck.comparison.exchange import Answer
from initcheck.comparison.functions import compare_functions
from initcheck.comparison.parts import Terms
from initcheck.contract.initializer import Initializer
from initcheck.contract.model import Model
from initcheck.contract.profile import Profile
from initcheck.contract.tested import Tested
from initcheck.engine.judging import Decided, Judging
from initcheck.engine.whole_trial import WholeTrial
from initcheck.errors import UsageError
from initcheck.locks.drawn_law import function_of, line_of
from initcheck.locks.lines import Line, Lock, changes
from initcheck.locks.locked import Locked
from initcheck.locks.model_lines import lines_of_model
from initcheck.locks.presets import PRESETS, departures, judged
from initcheck.statistics import Ledger


def lock_of(target: Tested, seed: int = 0) -> Lock:
    """The laws of a target, one line a role.

    Raises:
        UsageError: it has a law that no line holds, or builds no model.
    """
    if isinstance(target, Model):
        return Lock(target.name, lines_of_model(target, seed))
    if isinstance(target, Initializer):
        return Lock(target.name, (line_of(target, seed),))
    raise UsageError(f"{target.name} is a {target.noun}: locks are of initializers and of models.")


@dataclass
class LockTrial(WholeTrial):
    """What a claim of kind ``lock`` is given.

    Attributes:
        locked: the target and its lock.
        lines: how many laws were compared.
        departures: what differs, one sentence each.
        open_lines: what could not be decided, one sentence each.
        calls: how many calls or builds that rests on.
        cause: of the first departure, where it is known.
        mend: what to do about it.
    """

    locked: Locked
    lines: int
    departures: Sequence[str] = ()
    open_lines: Sequence[str] = ()
    calls: int = 1
    cause: str | None = None
    mend: str | None = None
    listed: ClassVar[int] = 1_000


class LockSubject(Judging):
    """A target with its law file."""

    def __init__(self, locked: Locked, profile: Profile, seed: int) -> None:
        self.locked = locked
        self.contract = locked.contract
        self._profile = profile
        self._seed = seed
        self._lines: tuple[Line, ...] = ()

    def decide(self, claim: Claim, ledger: Ledger, timeout: float | None) -> Decided:
        """Judge the claim.

        Raises:
            UsageError: the target builds no model, or a line holds no law.
        """
        trial = self._trial(ledger)
        trial.alpha, trial.beta, trial.mend = ledger.alpha, ledger.beta, self._fix()
        claim.prop(trial)
        return trial.decided(trial.calls)

    def _fix(self) -> str:
        if self.locked.like is not None:
            return f"follow {PRESETS[self.locked.like].source}, or leave out --like"
        return f"undo the change, or review it: initcheck lock --update {self.locked.file}"

    def _trial(self, ledger: Ledger) -> LockTrial:
        target, lock = self.locked.target, self.locked.lock
        if isinstance(target, Initializer) and lock is not None:
            return self._drawn(target, lock, ledger)
        like = self.locked.like
        if like is not None and isinstance(target, Model):
            self._lines = lines = lines_of_model(target, self._seed, apart=True)
            blocks = max((int(line.size.split(" x ")[0]) for line in lines if " x " in line.size), default=1)
            return LockTrial(self.locked, judged(lines, like), [*departures(lines, like, blocks)])
        now = lock_of(target, self._seed)
        self._lines = now.lines
        assert lock is not None
        return LockTrial(self.locked, len(now.lines), [*changes(lock, now)])

    def _drawn(self, target: Initializer, lock: Lock, ledger: Ledger) -> LockTrial:
        """Of an initializer the law of its line is drawn and compared, so that nothing fails by chance."""
        [line] = lock.lines
        assert self.locked.as_initializer is not None
        layout = line.size.removeprefix("layout ")
        law = self.locked.as_initializer(function_of(line), f"the law of {target.name} in {self.locked.file}", layout)
        terms = Terms(profile=self._profile.name, seed=self._seed, alpha=ledger.alpha, beta=ledger.beta)
        found = compare_functions(Drawn(law, self._seed), Drawn(target, self._seed), terms)
        different = found.of(Answer.DIFFERENT)
        cause = different[0].cause if different else None
        return LockTrial(
            self.locked,
            1,
            [f"{part.sentence}; the lock says {line.law}" for part in different[:1]],
            [part.sentence for part in found.of(Answer.UNDECIDED)],
            calls=found.calls,
            cause=f"A is the lock, B is {target.name}: {cause}" if cause else None,
        )

    def held_to(self) -> Mapping[str, Any]:
        """The lines as they are now, as plain data."""
        return {"locked": self.locked.file, "like": self.locked.like, "lines": [line.text for line in self._lines]}
