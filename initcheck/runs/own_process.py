"""Judging in a process of ours, so that a hang, a crash or a kill is a verdict on one target alone."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis.statistics import note_statistics

from initcheck.claims.registry import find
from initcheck.claims.statement import Claim
from initcheck.contract.tested import Tested
from initcheck.engine.judging import Tell, out_of_time, unheard
from initcheck.engine.settings import Settings
from initcheck.errors import UsageError
from initcheck.report.verdict import BROKEN, Evidence, Result, Verdict
from initcheck.runs.units import Unit, UnitOutcome
from initcheck.sandbox.child import Child, Died
from initcheck.targets.recipes import recipe_of

_DIED = "process did not survive"

# Seconds for one claim where --timeout says nothing: one on an initializer usually takes less than one second, one on a
# model may build it a dozen times.
PATIENCE = 300.0
_PATIENCE_WITH_A_MODEL = 3_600.0
_SERVER = "initcheck.runs.fresh_main"


def died(result: Result) -> bool:
    """Whether a result is that a process died, and not a verdict on what an initializer does."""
    return f"'s {_DIED} " in (result.reason or "")


class CannotBeJudged(UsageError):
    """What its code did to a process of its own keeps us from judging it there."""


class Slow(Died):
    """The process was at work when its time was over: what it was asked is open, and says nothing of its code."""


class OwnProcess:
    """Judges in another process, which is started when first asked and again whenever it has died.

    Args:
        settings: how the run is made.
        held_to: initializer's name -> what it is held to, filled as answers come.
        alone: whether each initializer gets a process of its own; else one serves them all until it dies, or until
            one leaves in it what cannot be put back.
    """

    def __init__(self, settings: Settings, held_to: dict[str, dict[str, Any]], *, alone: bool = True) -> None:
        self.settings = settings
        self.held_to = held_to
        self.alone = alone
        self.patience: float | None = None  # seconds for one answer; as the settings say where None
        self._child: Child | None = None
        self._served: set[str] = set()
        self._spoilt = False
        self._dead: dict[str, Claim] = {}
        self.mourned: dict[str, Died] = {}
        self.tell: Tell = unheard
        self.libraries: dict[str, str] = {}

    def judge(self, initializer: Tested, claim_id: str) -> Result:
        """Decide one claim; the death of the process is a verdict.

        Raises:
            UsageError: the initializer exists in this process only, or cannot be made in another.
        """
        claim = find(claim_id)
        if initializer.name in self._dead:
            reason = f"the {initializer.noun}'s {_DIED} {self._dead[initializer.name].id}"
            return Result.of(claim, initializer, Verdict.NOT_APPLICABLE, reason, reproduce=None)
        began = time.monotonic()
        verdict, evidence = Verdict.UNDECIDED, Evidence()
        try:
            return self.ask(initializer, claim_id)
        except CannotBeJudged as error:  # no verdict and no pass; and no reason to stop the others
            reason = f"{BROKEN}: {error}"
        except Slow as slow:
            reason = str(slow)
        except Died as died:
            self._dead[initializer.name] = claim
            began -= died.seconds
            verdict = Verdict.FAILS
            reason = f"the {initializer.noun}'s {_DIED} this claim ({died}); the claims after it were not asked"
            evidence = Evidence(measured=str(died), allowed="a result", detail=died.stack)
        again = self.settings.command(initializer, claim, isolate=True)
        seconds = time.monotonic() - began
        return Result.of(claim, initializer, verdict, reason, evidence=evidence, reproduce=again, seconds=seconds)

    @property
    def used(self) -> bool:
        """Whether the process that would answer now has read or judged something already."""
        return bool(self._served) and not self.alone

    def mourn(self, name: str, died: Died) -> None:
        """Know already how the process of an initializer died: when it was read."""
        self.mourned[name] = died

    def reading(self, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """What is answered to a request to read a target, one answer a name and at last the whole.

        Raises:
            Died: the process did.
        """
        if self.alone:
            self.close()
        child = self._ready()
        asked = child.ask(request)
        while True:
            began = time.monotonic()
            try:
                answer = child.answer(asked, self._patience("check"))
            except Died as died:
                died.seconds = time.monotonic() - began  # none are left when it is judged by this
                self.close()
                raise
            self._served.add(answer.get("at", request["read"]))
            yield answer
            if "at" not in answer:
                return

    def ask(self, initializer: Tested, claim_id: str) -> Result:
        """Decide one claim.

        Raises:
            Died: the process did, twice if it had judged others before: what they left behind is no fault of this one.
            Slow: its calls came back, but it was not done in time.
            UsageError: as ``judge``.
        """
        unit = Unit.of(initializer, self.settings, [claim_id])
        answer = self._answer(initializer, {"settings": unit.settings, "claims": unit.claim_ids})
        if "usage" in answer:
            raise UsageError(answer["usage"])
        if "error" in answer:
            raise CannotBeJudged(f"{initializer.name} cannot be judged in another process: {answer['error']}")
        judged = UnitOutcome(**{field.name: answer[field.name] for field in dataclasses.fields(UnitOutcome)})
        self._spoilt = judged.spoilt
        hear: Any = note_statistics
        for said in judged.statistics:
            hear(said)
        self.held_to[initializer.name] = judged.held_to
        self.libraries |= judged.libraries
        [result] = judged.of(initializer)
        return result

    def inferred(self, initializer: Tested) -> list[str]:
        """The contract that an initializer seems to keep, in the words of ``initcheck infer``.

        Raises:
            Died: the process did, as in ``ask``.
            UsageError: the initializer cannot be made in another process.
        """
        answer = self._answer(initializer, {"infer": True})
        if "error" in answer:
            raise UsageError(f"{initializer.name} cannot be drawn in another process: {answer['error']}")
        return list(answer["lines"])

    def _answer(self, initializer: Tested, request: Mapping[str, Any]) -> dict[str, Any]:
        if initializer.name in self.mourned:
            raise self.mourned[initializer.name]
        recipe = dict(recipe_of(initializer))
        own = {initializer.name, *(recipe.get(key) for key in ("target", "model", "text", "file"))}
        if (self.alone or self._spoilt) and self._served - own:
            self.close()
        patience = self._patience(initializer.kind)
        while True:
            child = self._ready()
            self._served.add(initializer.name)
            asked, began = child.ask({"recipe": recipe, **request}), time.monotonic()
            try:
                answer = child.answer(asked, patience)
                while "at" in answer:  # it lives: the patience begins anew
                    if answer["at"]:
                        self.tell(answer["at"])
                    elif initializer.kind == "check" and time.monotonic() - began > patience:
                        self.close()
                        raise Slow(out_of_time(patience, "calls that all came back; --timeout gives it more"))
                    answer = child.answer(asked, patience)
                if "error" in answer and self._served - own:
                    self.close()  # what another has left behind may be why: once more in a process of its own
                    continue
                return answer
            except Slow:
                raise
            except Died:
                others = self._served - own
                self.close()
                if not others:
                    raise

    def _patience(self, kind: str) -> float:
        if self.patience is not None:
            return self.patience
        if self.settings.timeout is None:
            return PATIENCE if kind == "check" else _PATIENCE_WITH_A_MODEL
        # The engine ends a slow claim by itself; only a single call that does not return goes beyond that.
        return 2 * self.settings.timeout + 10

    def _ready(self) -> Child:
        if self._child is None:
            self._child = Child(_SERVER)
            # That it is ready: it may take long to import what it needs, which is no hang.
            try:
                self._child.answer(self._child.ask({}), PATIENCE)
            except Died as died:  # before any code of the user's ran there
                self.close()
                raise UsageError(f"no process can be started to judge in: {died}.") from None
        return self._child

    def close(self) -> None:
        """End the process, if there is one."""
        if self._child is not None:
            self._child.end()
        self._child = None
        self._served = set()
        self._spoilt = False

    def __enter__(self) -> OwnProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
