"""A claim whose own code breaks: said as such, and no reason to stop the others."""

from __future__ import annotations

import traceback
from typing import Protocol

from initcheck.claims.registry import find
from initcheck.claims.statement import Claim
from initcheck.contract.tested import Tested
from initcheck.engine.settings import Settings
from initcheck.errors import UsageError
from initcheck.report.verdict import BROKEN, Evidence, Result, Verdict
from initcheck.sandbox.containment import one_line


class JudgesClaims(Protocol):
    """What decides a claim."""

    settings: Settings

    def judge(self, tested: Tested, claim_id: str) -> Result:
        """Decide it."""


def judged_or_broken(checker: JudgesClaims, tested: Tested, claim_id: str) -> Result:
    """Judge; where the claim's own code breaks, say so and go on with the others.

    Raises:
        UsageError: what was asked for cannot be done.
    """
    try:
        return checker.judge(tested, claim_id)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        claim = find(claim_id)
        return Result.of(
            claim,
            tested,
            Verdict.UNDECIDED,
            f"{BROKEN}: {one_line(error)}",
            evidence=Evidence(detail=tuple(account(claim, error).splitlines())),
            reproduce=checker.settings.command(tested, claim),
        )


def account(claim: Claim, error: BaseException) -> str:
    """The account of a bug in a claim: its traceback from where the claim was asked."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None and trace.tb_frame.f_code.co_name != "judge":
        trace = trace.tb_next
    whole = "".join(traceback.format_exception(type(error), error, trace))
    return f"{claim.id}: {BROKEN}; tell its author.\n\n{whole}"
