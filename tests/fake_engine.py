"""An engine with known verdicts: each initializer's name says, claim by claim, what the verdict will be.

Put in the place of ``initcheck.checking`` and ``initcheck.targets``, it lets the doors be tested for every verdict,
in milliseconds. A target is text such as ``he:HFUWN``: one letter a claim (holds, fails, undecided, waived, not
applicable; ``K`` kills the process, ``S`` sleeps for an hour).
"""

from __future__ import annotations

import os
import signal
import sys
import time
import types
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from initcheck.claim import claim
from initcheck.errors import UsageError
from initcheck.initializer import Initializer
from initcheck.report import NotChecked, Report, Run
from initcheck.verdict import Evidence, Result, Verdict

IDS = ("fake-a", "fake-b", "fake-c", "fake-d", "fake-e")


def _state(claim_id: str) -> None:
    @given(st.integers())
    def prop(trial, n):
        """A property that the fake engine never runs."""

    prop.__name__ = claim_id.replace("-", "_")
    claim(claim_id, says=f"The sentence of {claim_id}.", source="nobody 2026")(prop)


for _id in IDS:
    _state(_id)


@dataclass(frozen=True, kw_only=True)
class Settings:
    seed: int = 0
    profile: str = "default"
    alpha: float = 1e-6
    beta: float = 1e-3
    claims: tuple[str, ...] | None = None
    timeout: float | None = None


class Checker:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        for c in settings.claims or ():
            if c not in IDS:
                raise UsageError(f"there is no claim {c!r}; Valid: {', '.join(IDS)}")
        if settings.profile not in ("quick", "default", "thorough"):
            raise UsageError(f"there is no profile {settings.profile!r}")
        self.claim_ids = settings.claims or IDS

    def judge(self, initializer: Initializer, claim_id: str) -> Result:
        letters = initializer.name.rpartition(":")[2]
        letter = letters[IDS.index(claim_id)]
        if letter == "K":
            os.kill(os.getpid(), signal.SIGKILL)
        if letter == "S":
            time.sleep(3600)
        verdict = {v.value[0]: v for v in Verdict}[letter]
        return Result(
            claim=claim_id,
            says=f"The sentence of {claim_id}.",
            initializer=initializer.name,
            family="fake",
            verdict=verdict,
            reason=None if letter in "HF" else f"the reason of {letter}",
            evidence=Evidence(measured="0.334", allowed="[0.8, 1.25]", value=0.334, weights=24576, calls=96),
            reproduce=f"pytest --initcheck={initializer.name} -k {claim_id} --initcheck-seed={self.settings.seed}",
        )

    def report(self, initializers, not_checked=(), results=None) -> Report:
        if results is None:
            results = [self.judge(i, c) for i in initializers for c in self.claim_ids]
        s = self.settings
        return Report(
            run=Run(seed=s.seed, profile=s.profile, alpha=s.alpha, beta=s.beta, claims=len(self.claim_ids)),
            results=tuple(results),
            contracts={
                i.name: {"activation": "relu", "origins": {"activation": "inferred"}} for i in initializers
            },
            not_checked=tuple(not_checked),
        )


@dataclass(frozen=True)
class Loaded:
    initializers: tuple[Initializer, ...]
    not_checked: tuple[NotChecked, ...] = ()


def load(target, *, contract=None, signature=None, args=None, parameter=None) -> Loaded:
    if target.startswith("bad"):
        raise UsageError(f"there is no target {target!r}; did you mean 'he:HHHHH'?")
    if target == "nothing":
        return Loaded(
            (), (NotChecked(name="nothing", reason="it needs std=", call_to_write="nothing(std=0.02)"),)
        )
    return Loaded((Initializer(name=target, sampler=None, recipe={"target": target}),))


def rebuild(recipe) -> Initializer:
    return load(recipe["target"]).initializers[0]


def install() -> None:
    for name, members in {
        "initcheck.checking": {"Checker": Checker, "Settings": Settings},
        "initcheck.targets": {"load": load, "Loaded": Loaded, "rebuild": rebuild},
    }.items():
        module = types.ModuleType(name)
        module.__dict__.update(members)
        sys.modules[name] = module


install()
