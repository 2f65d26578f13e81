"""`@initcheck.parametrize([...])`: the claims as tests in the user's own test file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from initcheck.contract.tested import Tested
    from initcheck.report.verdict import Evidence, Result, Verdict
    from initcheck.runs.own_process import OwnProcess


Test = TypeVar("Test", bound=Callable[..., Any])

# The process that read or judged last. One at a time is enough: tests run one after the other.
_running: list[OwnProcess] = []


def parametrize(
    targets: Iterable[Any],
    *,
    contract: Any = None,
    claims: Sequence[str] | None = None,
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

    What is named by a target text is read and judged in another process, where a call that ends its process or does
    not return is a verdict on that initializer alone. A callable is one of this process, and is read and judged here.

    Args:
        targets: target texts or callables.
        contract: what all of them are held to, if not their own: a ``Contract``, a dict or text.
        claims: claim ids; all that are asked by default where None.
        seed: the run seed.
        profile: ``quick``, ``default`` or ``thorough``.
        timeout: seconds that one claim may take.
        strict: whether UNDECIDED fails too.

    Raises:
        UsageError: an unknown target, claim or profile, a contract that cannot be read, or nothing to check.
    """
    if _reads_for_another():
        return lambda test: test
    import pytest

    # The face of the package loads this file: its rooms only when a test module calls it.
    from initcheck.contract.declaration import declared_contract
    from initcheck.doors.under_pytest.items import identifiers
    from initcheck.engine import checker as engine
    from initcheck.engine.settings import Settings
    from initcheck.errors import UsageError
    from initcheck.runs import own_process, reading
    from initcheck.targets import loading

    settings = Settings(seed=seed, profile=profile, claims=claims, timeout=timeout)
    checker, declared = engine.Checker(settings), declared_contract(contract)
    own = own_process.OwnProcess(settings, {}, alone=False)
    listed = [targets] if isinstance(targets, str) or not isinstance(targets, Iterable) else list(targets)
    _take_turn(own)
    loaded = loading.told_apart(
        reading.read_target(one, own, declared) if isinstance(one, str) else loading.load(one, contract=declared)
        for one in listed
    )
    if not loaded.initializers:
        left = "; ".join(f"{n.name}: {n.reason}" for n in loaded.not_checked) or "no target is named"
        raise UsageError(f"parametrize has nothing to check: {left}.")
    here = {i.name for i in loaded.initializers if i.sampler is not None}

    def judge(initializer: Tested, claim_id: str) -> Result:
        if initializer.name in here:
            return checker.judge(initializer, claim_id)
        _take_turn(own)
        return own.judge(initializer, claim_id)

    idents = identifiers(loaded.initializers)
    # Initializer by initializer: its claims share its draws, which are let go at the next one.
    cases = [
        pytest.param(PendingResult(judge, i, claim_id, strict), id=f"{idents[i.name]}-{claim_id}")
        for i in loaded.initializers
        for claim_id in checker.claims_of(i)
    ]
    mark: Callable[[Test], Test] = pytest.mark.parametrize("result", cases)
    return mark


def _reads_for_another() -> bool:
    """Whether this is a process that reads targets for another one: the test file itself is being read in it."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return spec is not None and spec.name.startswith("initcheck.runs.")


def _take_turn(own: OwnProcess) -> None:
    """End the process of another decorator, whose tests are over or have not begun; it starts anew when asked."""
    for other in _running:
        if other is not own:
            other.close()
    _running[:] = [own]


class PendingResult:
    """A ``Result`` that is decided when it is first looked at; it has the fields of one.

    Args:
        judge: decides it.
        initializer: the thing under test.
        claim_id: the claim.
        strict: whether UNDECIDED fails too.
    """

    def __init__(
        self, judge: Callable[[Tested, str], Result], initializer: Tested, claim_id: str, strict: bool
    ) -> None:
        self.claim = claim_id
        self.initializer = initializer.name
        self._judge: Callable[[], Result] = partial(judge, initializer, claim_id)
        self._strict = strict
        self._needed = not initializer.bystander
        self._result: Result | None = None

    @property
    def result(self) -> Result:
        """The whole result; decided now if it was not yet."""
        if self._result is None:
            self._result = self._judge()
        return self._result

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
            ClaimFailed: the claim FAILS, or is UNDECIDED under ``strict``; or what was named could not be looked at.
            pytest.skip.Exception: it is UNDECIDED or NOT APPLICABLE.
            pytest.xfail.Exception: it is WAIVED.
        """
        from initcheck.doors.under_pytest.outcome import raise_for  # as in `parametrize`

        raise_for(self.result, strict=self._strict, needed=self._needed)

    def __repr__(self) -> str:
        return f"<{self.claim} of {self.initializer}>"
