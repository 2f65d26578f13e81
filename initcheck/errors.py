"""The errors initcheck raises: each is a sentence that says what was given, what was expected, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

_MOST_LISTED = 50


class InitcheckError(Exception):
    """Base of every error that initcheck raises on purpose."""


class UsageError(InitcheckError, ValueError):
    """What was asked for cannot be done: unknown target, claim, contract key or value, unreadable signature.

    A notebook shows the sentence alone: where in initcheck it was raised helps nobody.
    """

    def _render_traceback_(self) -> list[str]:
        # IPython asks an exception for this before it lays out a traceback of its own.
        return [f"{type(self).__name__}: {self}"]


class UnreadableTarget(UsageError):
    """A target is there, and what it is or does keeps it from being read: what is named beside it is judged."""


class AmbiguousInitializer(UnreadableTarget):
    """The signature can be read in several ways that give different numbers; ``signature=`` must say which."""


class ClaimFailed(AssertionError):
    """A claim was shown to be false of an initializer. Raised, never a bare assert, so that ``python -O`` keeps it."""


def closest(given: str, valid: Iterable[str]) -> str:
    """Word the valid names and the nearest one, for the end of an error sentence.

    >>> closest("Relo", ["relu", "tanh"])
    "did you mean 'relu'? Valid: relu, tanh"

    A list of more than a screen of names helps nobody.

    >>> closest("nopage", [f"claim-{n}" for n in range(100)] + ["page"])
    "did you mean 'page'?"
    >>> closest("xyz", [f"claim-{n}" for n in range(100)])
    'none of the 100 names is near it'
    """
    names = sorted(valid)
    lower = {name.lower(): name for name in names}
    near = [lower[n] for n in difflib.get_close_matches(given.lower(), lower, n=1, cutoff=0.5)]
    if len(names) > _MOST_LISTED:
        return f"did you mean {near[0]!r}?" if near else f"none of the {len(names)} names is near it"
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}Valid: {', '.join(names)}"


def refuse_unknown(given: Iterable[str], valid: Collection[str], said: str) -> None:
    """Refuse the first name that is none of the valid ones.

    >>> refuse_unknown({"gian": 2.0}, ["gain"], "mine:he has no parameter")
    Traceback (most recent call last):
    initcheck.errors.UsageError: mine:he has no parameter 'gian'; did you mean 'gain'? Valid: gain

    Args:
        given: the names.
        valid: those that there are.
        said: what stands before the name that there is not.

    Raises:
        UsageError: with the closest one, and those that are valid.
    """
    for name in given:
        if name not in valid:
            raise UsageError(f"{said} {name!r}; {closest(str(name), valid)}")


def fail_unless(holds: bool, sentence: str) -> None:
    """Fail a theorem whose statement does not hold on what was drawn.

    >>> fail_unless(1 + 1 == 2, "arithmetic is broken")

    Raises:
        ClaimFailed: with the sentence that says what was measured and what the theorem says.
    """
    if not holds:
        raise ClaimFailed(sentence)
