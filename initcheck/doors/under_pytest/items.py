"""The pytest items: one a claim and initializer or model, one a theorem."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from initcheck.claims.statement import Claim
from initcheck.claims.theorems import prove
from initcheck.contract.tested import Tested
from initcheck.doors.under_pytest.outcome import raise_for
from initcheck.engine.broken_claim import account
from initcheck.errors import ClaimFailed, UsageError
from initcheck.report.account import failure_text
from initcheck.report.verdict import Result, Verdict
from initcheck.safe_text import escaped

JudgeClaim = Callable[[Tested, str], Result]


def module_id(claim: Claim) -> str:
    """The file part of a node id: ``initcheck/scale.py``, or ``theirs/claims.py`` of somebody else's."""
    name = claim.prop.__module__.replace("initcheck.properties.", "initcheck.")
    return name.replace(".", "/") + ".py"


def identifiers(initializers: Sequence[Tested]) -> dict[str, str]:
    """Initializer's or model's name -> the file part of its node ids: printable, short, unique."""
    ids: dict[str, str] = {}
    taken: set[str] = set()
    for initializer in initializers:
        # Behind two colons pytest looks for a function.
        short = name = escaped(initializer.name, 120).replace("::", ":")
        number = 1
        while short in taken:
            number += 1
            short = f"{name}~{number}"
        taken.add(short)
        ids[initializer.name] = short
    return ids


class ClaimModule(pytest.Module):
    """The claims on one initializer or model, as if they stood in a file of its name; or a family of theorems.

    A real module stands behind it, since users' conftest files ask items for it.
    """

    claims: Sequence[Claim]
    make_items: Callable[[ClaimModule], Iterable[pytest.Item]]

    @classmethod
    def of(
        cls,
        session: pytest.Session,
        claims: Sequence[Claim],
        make_items: Callable[[ClaimModule], Iterable[pytest.Item]],
        name: str,
    ) -> ClaimModule:
        """Make the collector of claims, called as they stand in node ids."""
        module = sys.modules[claims[0].prop.__module__]
        path = Path(inspect.getsourcefile(module) or __file__)
        node: ClaimModule = cls.from_parent(session, path=path, name=name, nodeid=name)
        node.claims = claims
        node.make_items = make_items
        return node

    def _getobj(self) -> ModuleType:
        # Imported by name, never by path: a second module object would be a second registry.
        return sys.modules[self.claims[0].prop.__module__]

    def collect(self) -> Iterable[pytest.Item]:
        """The items of this family."""
        return list(self.make_items(self))


class PropertyItem(pytest.Item):
    """What every kind of item shares: it stands for a property and looks like a function."""

    claim: Claim
    fixturenames: Sequence[str] = ()
    cls: type | None = None
    instance: object | None = None

    @property
    def nodeid(self) -> str:
        """The node id, with the group that xdist's ``loadgroup`` puts behind it."""
        # xdist 3.8 writes the group to `_nodeid`, which pytest reads no longer from 9.2 on.
        grouped: str | None = self.__dict__.get("_nodeid")
        return grouped or super().nodeid

    @property
    def module(self) -> ModuleType:
        """The module in which the claim is stated."""
        return sys.modules[self.claim.prop.__module__]

    @property
    def function(self) -> Callable[..., Any]:
        """The property."""
        return self.claim.prop

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the claim is stated, so that an editor can jump there."""
        return self.path, _line(self.claim.prop), self.name

    @property
    def location(self) -> tuple[str, int | None, str]:
        """The node id's own file, so that `-v` prints no second path behind each line."""
        return self.nodeid.partition("::")[0], _line(self.claim.prop), self.name

    @contextlib.contextmanager
    def showing_statistics(self) -> Iterator[None]:
        """Keep what Hypothesis says of its runs where its own plugin looks for it: ``--hypothesis-show-statistics``."""
        if not self.config.getoption("--hypothesis-show-statistics", False):
            yield
            return
        from hypothesis.statistics import collector, describe_statistics

        heard: list[Any] = []
        kept: Any = collector
        try:
            with kept.with_value(heard.append):
                yield
        finally:
            # Words where another process ran it, else what Hypothesis puts into words.
            runs = [run if isinstance(run, str) else describe_statistics(run) for run in heard]
            if runs:
                self.hypothesis_statistics = "\n\n".join([f"{self.nodeid}:", *dict.fromkeys(runs)])

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The account of the failure alone; a traceback only where the claim's own code is at fault."""
        if isinstance(excinfo.value, ClaimFailed | UsageError | pytest.xfail.Exception):
            result = getattr(self, "result", None)
            if result is not None and result.verdict is not Verdict.WAIVED and self.config.option.verbose > 0:
                # Whoever asks for more gets the evidence too.
                return failure_text(result)
            return str(excinfo.value)
        return account(self.claim, excinfo.value)


class ClaimItem(PropertyItem):
    """One claim asked of one initializer or model."""

    initializer: Tested
    judge: JudgeClaim
    strict: bool
    result: Result | None = None

    @classmethod
    def of(
        cls,
        parent: ClaimModule,
        claim: Claim,
        initializer: Tested,
        *,
        group: str,
        judge: JudgeClaim,
        strict: bool,
    ) -> ClaimItem:
        """Make the item; ``group`` is shared by the initializer's items."""
        name = claim.prop.__name__
        item: ClaimItem = cls.from_parent(parent, name=name, nodeid=f"{parent.nodeid}::{name}")
        item.claim = claim
        item.initializer = initializer
        item.judge = judge
        item.strict = strict
        item.extra_keyword_matches |= {claim.id, *(["model"] if initializer.kind == "model" else [])}
        if item.config.pluginmanager.hasplugin("xdist"):
            # One worker an initializer under `--dist loadgroup`: its draws, or a model's builds, serve all its claims.
            item.add_marker(pytest.mark.xdist_group(name=group))
        return item

    @property
    def location(self) -> tuple[str, int | None, str]:
        """As of every item, headed by the claim and of what."""
        file, line, name = super().location
        return file, line, f"{name}[{file}]"

    def runtest(self) -> None:
        """Judge the claim and raise what the verdict means."""
        with self.showing_statistics():
            self.result = self.judge(self.initializer, self.claim.id)
        self.user_properties.extend(_properties(self.result))
        raise_for(self.result, strict=self.strict or self.result.broke)


class TheoremItem(PropertyItem):
    """One theorem or myth, shown on generated networks."""

    @classmethod
    def of(cls, parent: ClaimModule, claim: Claim) -> TheoremItem:
        """Make the item."""
        name = claim.prop.__name__
        item: TheoremItem = cls.from_parent(parent, name=name, nodeid=f"{parent.nodeid}::{name}")
        item.claim = claim
        item.extra_keyword_matches |= {claim.id, claim.kind}
        return item

    def runtest(self) -> None:
        """Run the property and its negations."""
        with self.showing_statistics():
            prove(self.claim)


def _line(prop: Callable[..., Any]) -> int:
    code = getattr(inspect.unwrap(prop), "__code__", None)
    return code.co_firstlineno - 1 if code else 0


def _properties(result: Result) -> list[tuple[str, object]]:
    """What JUnit and other plugins may read, as plain data."""
    e = result.evidence
    said = {
        "claim": result.claim,
        "initializer": escaped(result.initializer),
        "verdict": result.verdict.value,
        "reason": result.reason,
        "measured": e.measured,
        "allowed": e.allowed,
        "weights": e.weights or None,
        "e_value_log10": e.e_value_log10,
    }
    return [(f"initcheck_{k}", escaped(v) if isinstance(v, str) else v) for k, v in said.items() if v is not None]
