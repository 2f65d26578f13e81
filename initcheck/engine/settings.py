"""How a run is made, and the command that repeats one verdict of it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, SupportsIndex

from initcheck.claims.statement import Claim
from initcheck.contract.contract import contract_text
from initcheck.contract.model import Model
from initcheck.contract.tested import Tested
from initcheck.errors import UsageError

_COMMANDS = {"model": "model", "ranks": "model", "pair": "same", "lock": "lock"}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a run is made.

    Attributes:
        seed: every draw derives from it; the same seed gives the same verdicts, bit for bit.
        profile: ``quick``, ``default`` or ``thorough``; it never changes an error rate.
        alpha: bound on the probability of any false FAIL, per initializer.
        beta: bound on the probability that a HOLDS is wrong, per verdict.
        claims: claim ids, also as one text with commas; every claim that is asked by default where None.
        timeout: seconds of wall clock a claim may take before it ends UNDECIDED.
        contract: what the run holds everything to, as text, where it was said so: only commands repeat it.
        kinds: of the claims that are asked: ``check`` of initializers, ``model`` of models, ``pair`` of two that are
            to start from one law, ``lock`` of what has a law file.
    """

    seed: int = 0
    profile: str = "default"
    alpha: float = 1e-6
    beta: float = 1e-3
    claims: Sequence[str] | None = None
    timeout: float | None = None
    contract: str | None = None
    kinds: tuple[Literal["check", "model", "pair", "lock", "ranks"], ...] = ("check",)

    def __post_init__(self) -> None:
        """Read what was said from Python as a command line is read.

        Raises:
            UsageError: a seed or a timeout that is none, or claims that name none.
        """
        object.__setattr__(self, "claims", _ids(self.claims))
        object.__setattr__(self, "seed", _whole(self.seed))
        seconds = self.timeout
        if seconds is not None and not (isinstance(seconds, (int, float)) and 0 < seconds < math.inf):
            raise UsageError(f"timeout={seconds!r} is not a number of seconds above 0.")

    def command(self, tested: Tested, claim: Claim, *, isolate: bool = False) -> str:
        """The command that repeats the verdict on one claim.

        Args:
            tested: of what.
            claim: what was asked.
            isolate: whether it takes a process of its own, since what is tested ends or stops the one it is in.
        """
        if _nameless(tested):
            if tested.kind == "pair":
                return f"initcheck.same({tested.name.replace(' against ', ', ')}, seed={self.seed})"
            door = "check_model" if isinstance(tested, Model) else "check"
            said = f", profile={self.profile!r}" if door == "check" and self.profile != "default" else ""
            said += f", contract={held_to!r}" if (held_to := self.contract or _declared(tested)) else ""
            return f"initcheck.{door}({tested.name}, claims=[{claim.id!r}], seed={self.seed}{said})"
        command = _COMMANDS.get(tested.kind)
        if command is not None:
            words = ["initcheck", command, *(tested.words or (tested.name,)), f"--claims={claim.id}"]
            words += [f"--profile={self.profile}"] if command != "model" and self.profile != "default" else []
            words += ["--isolate"] if isolate else []
            words += [f"--timeout={self.timeout:g}"] if isolate and self.timeout is not None else []
            return shlex.join([*words, f"--seed={self.seed}"])
        words = [f"--initcheck={(tested.recipe or {}).get('listed') or tested.name}"]
        words += [f"--initcheck-claims={claim.id}", "--initcheck-isolate"] if isolate else ["-k", claim.prop.__name__]
        words.append(f"--initcheck-seed={self.seed}")
        if held_to := self.contract or _declared(tested):
            words.append(f"--initcheck-contract={held_to}")
        if self.profile != "default":
            words.append(f"--initcheck-profile={self.profile}")
        if isolate and self.timeout is not None:
            words.append(f"--initcheck-timeout={self.timeout:g}")
        return shlex.join(["pytest", *words])


def _ids(claims: Sequence[str] | None) -> tuple[str, ...] | None:
    if claims is None:
        return None
    named = claims.split(",") if isinstance(claims, str) else claims
    ids = tuple(named) if isinstance(named, Iterable) else ()
    if not ids or not all(isinstance(one, str) for one in ids):
        raise UsageError(f"claims={claims!r} names no claim; give ids, such as ['zero-mean', 'finite'].")
    return tuple(one.strip() for one in ids)


def _whole(seed: object) -> int:
    number = seed.__index__() if isinstance(seed, SupportsIndex) and not isinstance(seed, bool) else -1
    if number < 0:
        raise UsageError(f"seed={seed!r} is not a seed: give a whole number from 0 on.")
    return number


def _declared(tested: Tested) -> str:
    """What was declared of this one beside its code, as far as a command line can say it."""
    recipe = tested.recipe or {}
    return "" if recipe.get("listed") else contract_text(recipe.get("contract") or {})


def _nameless(tested: Tested) -> bool:
    """Whether it is an object of this process that no command line can name."""
    if isinstance(tested, Model):
        return bool(tested.words) and not tested.words[0]
    if tested.kind == "pair":
        return not tested.words
    # Without cloudpickle an object of this process has no recipe; what text names always has one.
    return tested.recipe is None or "pickle" in tested.recipe
