"""Running a theorem or a myth: a property of networks, true whoever initialises them."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from initcheck.claims.registry import registry
from initcheck.claims.statement import Claim
from initcheck.errors import ClaimFailed
from initcheck.safe_text import escaped


def theorems() -> dict[str, Claim]:
    """The theorems and myths of the registry, by id."""
    return {name: c for name, c in registry().items() if c.kind in ("theorem", "myth")}


def prove(claim: Claim) -> None:
    """Run the property of a theorem or myth on generated networks, then its negations.

    A negation shows a network that breaks the sentence once one of its hypotheses is dropped: it passes by
    finding one. A myth's property passes by showing the counterexample.

    Raises:
        ClaimFailed: a property fails; the message ends with the smallest counterexample found.
    """
    for prop in (claim.prop, *claim.negations):
        try:
            _fixed(prop)()
        except Exception as error:
            what = "a negation" if prop is not claim.prop else f"the {claim.kind}'s property"
            last = traceback.format_exception_only(error)
            notes = getattr(error, "__notes__", [])
            lines = [
                f"{claim.id}  FAILS  as a {claim.kind}",
                f"  {claim.says}",
                f"    measured    {escaped(last[0].strip(), 2_000)}",
                *(f"    smallest    {escaped(line, 2_000)}" for note in notes for line in note.splitlines()),
                f"    evidence    {what}, {prop.__module__}.{prop.__name__}, on generated networks",
                f"    reproduce   pytest --initcheck-theorems -k {prop.__name__}",
            ]
            raise ClaimFailed("\n".join(lines)) from error


def _fixed(prop: Callable[..., Any]) -> Callable[..., Any]:
    """The property with the same examples in every run, whatever profile of Hypothesis is loaded."""
    from hypothesis import HealthCheck, settings

    own = getattr(prop, "_hypothesis_internal_use_settings", None)
    fixed = settings(
        own or settings.get_profile("default"),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )

    def run() -> None:
        # A fresh copy of the settings only: `prop` itself is shared with the project's own tests.
        kept = getattr(prop, "_hypothesis_internal_use_settings", None)
        prop._hypothesis_internal_use_settings = fixed  # type: ignore[attr-defined]
        try:
            prop()
        finally:
            prop._hypothesis_internal_use_settings = kept  # type: ignore[attr-defined]

    return run
