"""`@initcheck.parametrize([...])`: the claims as tests in the user's own test file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

__all__ = ["parametrize"]


def parametrize(
    targets: Iterable[Any],
    *,
    contract: Any = None,
    claims: Iterable[str] | None = None,
    seed: int = 0,
    profile: str = "default",
    strict: bool = False,
) -> Callable[[Callable[..., Any]], Any]:
    """Make one test of each claim and initializer; the test function receives a ``result`` to look at.

    >>> import initcheck
    >>> @initcheck.parametrize(["initcheck.gallery:he_normal"])
    ... def test_initializer(result):
    ...     result.raise_if_failed()

    The claims are decided when the test runs, not when it is collected.

    Args:
        targets: target texts or callables.
        contract: what all of them are held to, if not their own.
        claims: claim ids; all that are asked by default where None.
        seed: the run seed.
        profile: ``quick``, ``default`` or ``thorough``.
        strict: whether UNDECIDED fails too.
    """
    import pytest

    from initcheck.checking import Checker, Settings
    from initcheck.targets import load_all

    checker = Checker(
        Settings(seed=seed, profile=profile, claims=tuple(claims) if claims is not None else None)
    )
    loaded = load_all(targets, contract=contract)
    cases = [
        pytest.param(Pending(checker, initializer, claim_id, strict), id=f"{claim_id}[{initializer.name}]")
        for initializer in loaded.initializers
        for claim_id in checker.claim_ids
    ]
    mark: Callable[[Callable[..., Any]], Any] = pytest.mark.parametrize("result", cases)
    return mark


class Pending:
    """A verdict that is decided when it is first looked at."""

    def __init__(self, checker: Any, initializer: Any, claim_id: str, strict: bool) -> None:
        self.checker = checker
        self.initializer = initializer
        self.claim_id = claim_id
        self.strict = strict

    @property
    def result(self) -> Any:
        """The ``Result``; decided now if it was not yet."""
        return self.checker.judge(self.initializer, self.claim_id)

    def raise_if_failed(self) -> None:
        """Fail, skip or pass the test as the verdict says.

        Raises:
            ClaimFailed: the claim fails, or is undecided under ``strict``.
        """
        from initcheck.outcome import raise_for

        raise_for(self.result, strict=self.strict)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.result, name)


_ = Mapping
