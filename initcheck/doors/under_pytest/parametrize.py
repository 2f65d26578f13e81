"""`@initcheck.parametrize([...])`: the claims as tests in the user's own test file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from initcheck.contract.initializer import Initializer
    from initcheck.engine.checker import Checker
    from initcheck.report.verdict import Evidence, Result, Verdict

__all__ = ["PendingResult", "parametrize"]

Test = TypeVar("Test", bound=Callable[..., Any])


def parametrize(
    targets: Iterable[Any],
    *,
    contract: Any = None,
    claims: Iterable[str] | None = None,
    seed: int = 0,
    profile: str = "default",
    timeout: float | None = None,
    strict: bool = False,
) -> Callable[[Test], Test]:
    """Make one test of each claim and initializer; the test function receives a ``result`` to look at.

    >>> import initcheck
    >>> @initcheck.parametrize(["initcheck.gallery:he_normal"], claims=["finite"])
    ... def test_initializer(result):
    ...     result.raise_if_failed()

    The claims are decided when the test runs, not when it is collected. A test that never looks at ``result``
    decides nothing.

    Args:
        targets: target texts or callables.
        contract: what all of them are held to, if not their own: a ``Contract``, a dict or text.
        claims: claim ids; all that are asked by default where None.
        seed: the run seed.
        profile: ``quick``, ``default`` or ``thorough``.
        timeout: seconds that one claim may take.
        strict: whether UNDECIDED fails too.

    Raises:
        UsageError: an unknown target, claim or profile, or a contract that cannot be read.
    """
    import pytest

    from initcheck.doors.under_pytest.items import identifiers
    from initcheck.engine.checker import Checker, Settings
    from initcheck.targets.loading import load_all

    asked = None if claims is None else tuple(claims)
    checker = Checker(Settings(seed=seed, profile=profile, claims=asked, timeout=timeout))
    initializers = load_all(targets, contract=contract).initializers
    idents = identifiers(initializers)
    # Initializer by initializer: its claims share its draws, which are let go at the next one.
    cases = [
        pytest.param(PendingResult(checker, i, claim_id, strict), id=f"{idents[i.name]}-{claim_id}")
        for i in initializers
        for claim_id in checker.claims_of(i)
    ]
    mark: Callable[[Test], Test] = pytest.mark.parametrize("result", cases)
    return mark


class PendingResult:
    """A ``Result`` that is decided when it is first looked at; it has the fields of one.

    Args:
        checker: decides it, and keeps it.
        initializer: the thing under test.
        claim_id: the claim.
        strict: whether UNDECIDED fails too.
    """

    def __init__(self, checker: Checker, initializer: Initializer, claim_id: str, strict: bool) -> None:
        self.claim = claim_id
        self.initializer = initializer.name
        self._judge: Callable[[], Result] = partial(checker.judge, initializer, claim_id)
        self._strict = strict

    @property
    def result(self) -> Result:
        """The whole result; decided now if it was not yet."""
        return self._judge()

    @property
    def verdict(self) -> Verdict:
        """Its verdict."""
        return self.result.verdict

    @property
    def evidence(self) -> Evidence:
        """What stands behind the verdict."""
        return self.result.evidence

    def raise_if_failed(self) -> None:
        """Pass, fail, skip or expect the failure, as the verdict says.

        Raises:
            ClaimFailed: the claim FAILS, or is UNDECIDED under ``strict``.
            pytest.skip.Exception: it is UNDECIDED or NOT APPLICABLE.
            pytest.xfail.Exception: it is WAIVED.
        """
        from initcheck.doors.under_pytest.outcome import raise_for

        raise_for(self.result, strict=self._strict)

    def __repr__(self) -> str:
        return f"<{self.claim} of {self.initializer}>"
