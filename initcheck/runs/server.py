"""What a process of ours answers: it reads targets, makes initializers again, judges them and draws them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from initcheck.contract.initializer import Initializer
from initcheck.contract.tested import Tested
from initcheck.errors import UsageError
from initcheck.sandbox.pulse import listening_to_beats
from initcheck.targets.remade import Remade

if TYPE_CHECKING:
    from initcheck.runs.units import Judged


class SendAnswer(Protocol):
    """Sends an answer."""

    def __call__(self, **answer: Any) -> None:
        """Send these fields."""


class Server:
    """Answers one request after the other; the last initializer is kept, with what was drawn of it."""

    def __init__(self) -> None:
        self._read: dict[str, Tested] = {}
        self._last: tuple[str, Remade] | None = None
        self._judged: Judged | None = None

    def answer(self, request: Mapping[str, Any], tell: SendAnswer) -> None:
        """Answer one request: to read a target, or to make what is tested and draw, infer or judge it.

        Raises:
            Exception: what was asked for cannot be made here.
        """
        if "read" in request:
            # Here, and below: a process that only repeats a plan starts with half of all modules, without Hypothesis.
            from initcheck.runs.reading import read_here

            plain, found = read_here(request, lambda name: tell(at=name))
            self._read |= {_key(i.recipe): i for i in found if not isinstance(i, Initializer) or i.sampler is not None}
            tell(**plain)
        elif "plan" in request:
            remade = self._remade(request)
            tell(digests=remade.digests(request["plan"], request["dtype"], request["global seed"]))
        elif "make" in request:
            self._remade(request)
            tell()
        elif "infer" in request:
            tell(lines=self._remade(request).inferred())
        elif "claims" in request:
            unit = self._unit(request)
            try:
                with listening_to_beats(lambda: tell(at="")):
                    judged = unit.judge(request["claims"], lambda text: tell(at=text))
            except UsageError as error:  # a factory that builds no model: in the words in which it was said here
                tell(usage=str(error))
                return
            tell(**dataclasses.asdict(judged))
        else:
            tell()

    def _remade(self, request: Mapping[str, Any]) -> Remade:
        key = _key([request["recipe"], request.get("settings")])
        if self._last is None or self._last[0] != key:
            # What was read here need not be made again; what was drawn of the last one is let go.
            self._last = (key, Remade(request["recipe"], self._read.get(_key(request["recipe"]))))
            self._judged = None
        return self._last[1]

    def _unit(self, request: Mapping[str, Any]) -> Judged:
        # Here, as above.
        from initcheck.runs.units import Judged

        remade = self._remade(request)
        if self._judged is None:
            self._judged = Judged(remade, request["settings"])
        return self._judged


def _key(plain: Any) -> str:
    return json.dumps(plain, sort_keys=True)
