"""An engine with known verdicts: each initializer's name says, claim by claim, what the verdict will be.

Put in the place of the checker and the loader, it lets the doors be tested for every verdict, in
milliseconds. A target is text such as ``he:HFUWN``: one letter a claim (holds, fails, undecided, waived, not
applicable; ``B`` is a bug in the claim's own code, ``K`` kills the process, ``I`` is Ctrl-C).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from in_this_process import InThisProcess

import initcheck.runs.plan
from initcheck.claims import registry, statement
from initcheck.claims.statement import Claim, claim
from initcheck.contract.initializer import Initializer
from initcheck.engine.settings import Settings
from initcheck.errors import UsageError
from initcheck.report.report import Report
from initcheck.report.results import NotChecked, Run, shown_nothing
from initcheck.report.verdict import Evidence, Result, Verdict
from initcheck.targets.loading import Loaded

IDS = ("fake-a", "fake-b", "fake-c", "fake-d", "fake-e")


def _state(claim_id: str) -> None:
    @given(st.integers())
    def prop(trial, n):
        """A property that the fake engine never runs."""

    prop.__name__ = claim_id.replace("-", "_")
    claim(claim_id, says=f"The sentence of {claim_id}.", source="nobody 2026")(prop)


class Checker:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        for c in settings.claims or ():
            if c not in IDS:
                raise UsageError(f"there is no claim {c!r}; Valid: {', '.join(IDS)}")
        if settings.profile not in ("quick", "default", "thorough"):
            raise UsageError(f"there is no profile {settings.profile!r}")
        self.claim_ids = settings.claims or IDS

    def tell(self, text):
        """Nothing takes long here."""

    def claims_of(self, tested):
        return self.claim_ids

    def judge(self, initializer: Initializer, claim_id: str) -> Result:
        letters = initializer.name.rpartition(":")[2]
        letter = letters[IDS.index(claim_id)]
        if letter == "K":
            os.kill(os.getpid(), signal.SIGKILL)
        if letter == "I":
            raise KeyboardInterrupt
        if letter == "B":
            raise AttributeError("a bug in the claim")
        verdict = {v.value[0]: v for v in Verdict}[letter]
        return Result(
            claim=claim_id,
            says=f"The sentence of {claim_id}.",
            initializer=initializer.name,
            family="fake",
            verdict=verdict,
            reason=None if letter in "HF" else f"the reason of {letter}",
            evidence=Evidence(measured="0.334", allowed="[0.8, 1.25]", value=0.334, weights=24576, calls=96),
            reproduce=f"pytest --initcheck={initializer.name} -k {claim_id}",
        )

    def run(self, results=()) -> Run:
        s = self.settings
        return Run(seed=s.seed, profile=s.profile, alpha=s.alpha, beta=s.beta, claims=len(self.claim_ids))

    def held_to(self, initializer):
        return {"activation": "relu", "origins": {"activation": "inferred"}}

    def report(self, initializers, not_checked, results, known) -> Report:
        left = (*not_checked, *shown_nothing(results))
        return Report(run=self.run(), results=tuple(results), contracts=known, not_checked=left)


def load(target) -> Loaded:
    if target.startswith("bad"):
        raise UsageError(f"there is no target {target!r}; did you mean 'he:HHHHH'?")
    if target == "nothing":
        return Loaded((), (NotChecked(name="nothing", reason="it needs std=", call_to_write="nothing(std=0.02)"),))
    return Loaded((Initializer(name=target, sampler=None, recipe={"target": target}),))


def read_all(targets, own, *, contract=None) -> Loaded:
    each = [load(target) for target in targets]
    return Loaded(sum((e.initializers for e in each), ()), sum((e.not_checked for e in each), ()))


def install(replace: Callable[[object, str, object], None] = setattr) -> None:
    """Put the fake in the engine's place; ``replace`` is monkeypatch's setattr where it must be undone."""
    # The claims of this file are the whole registry: loading the real ones takes half a second.
    stated: dict[str, Claim] = {}
    replace(statement, "STATED", stated)
    replace(registry, "STATED", stated)
    replace(registry, "_load_all", lambda: None)
    for claim_id in IDS:
        _state(claim_id)
    replace(initcheck.runs.plan, "Checker", Checker)
    replace(initcheck.runs.plan, "read_all", read_all)
    replace(initcheck.runs.plan, "OwnProcess", InThisProcess)
