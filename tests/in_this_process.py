"""What stands in the place of a process beside the run: it reads and judges here, at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import initcheck.runs.plan
from initcheck.contract.tested import Tested
from initcheck.engine.broken_claim import judged_or_broken
from initcheck.engine.judging import unheard
from initcheck.engine.settings import Settings
from initcheck.report.verdict import Result
from initcheck.runs.reading import read_here


class InThisProcess:
    """An ``OwnProcess`` that is none: what ends or stops a target ends or stops the test."""

    alone = used = False
    libraries: Mapping[str, str] = {}
    tell = staticmethod(unheard)

    def __init__(self, settings: Settings, held_to: dict[str, Any], *, alone: bool) -> None:
        # The plan's, which may be a fake.
        self.checker, self.held_to = initcheck.runs.plan.Checker(settings), held_to
        self.found: dict[str, Tested] = {}

    def reading(self, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        answer, found = read_here(request, lambda name: None)
        self.found |= {tested.name: tested for tested in found}
        yield answer

    def judge(self, tested: Tested, claim_id: str) -> Result:
        self.checker.tell, tested = self.tell, self.found.get(tested.name, tested)
        result = judged_or_broken(self.checker, tested, claim_id)
        self.held_to[tested.name] = self.checker.held_to(tested)
        return result

    def close(self) -> None:
        """Nothing runs."""
