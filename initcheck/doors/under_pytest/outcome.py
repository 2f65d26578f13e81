"""A verdict turned into what a test framework understands: pass, fail, skip or expected failure."""

from __future__ import annotations

from initcheck.errors import ClaimFailed
from initcheck.report.verdict import Result, Verdict


def raise_for(result: Result, *, strict: bool = False, needed: bool = False) -> None:
    """Pass where the claim holds, else raise what the verdict means in pytest.

    >>> from initcheck.report.verdict import Result, Verdict
    >>> raise_for(Result(claim="finite", says="No weight is NaN or infinite.", initializer="he",
    ...                  family="promises", verdict=Verdict.HOLDS))

    Args:
        result: the verdict with its evidence.
        strict: whether UNDECIDED fails too.
        needed: whether it fails too that nothing could be looked at.

    Raises:
        ClaimFailed: the claim FAILS, is UNDECIDED under ``strict``, or cannot be asked of what is ``needed``; the
            message is five lines.
        pytest.skip.Exception: it is UNDECIDED or NOT APPLICABLE.
        pytest.xfail.Exception: it is WAIVED.
    """
    if result.verdict is Verdict.HOLDS:
        return
    undecided = strict and result.verdict is Verdict.UNDECIDED
    if result.verdict is Verdict.FAILS or undecided or (needed and result.unread):
        from initcheck.report.account import one_result  # nothing of a report is loaded for what holds

        raise ClaimFailed(one_result(result))
    import pytest

    # as above: nothing of a report is loaded for what holds
    from initcheck.safe_text import escaped

    reason = escaped(result.reason or "no reason was given")
    if result.verdict is Verdict.WAIVED:
        # Not `pytest.xfail()`: under --runxfail that call does nothing, and a waived claim would pass.
        raise pytest.xfail.Exception(f"WAIVED: {reason}")
    raise pytest.skip.Exception(f"{result.verdict.value}: {reason}")
