"""A cheap look at a changed initializer: most changes mend nothing, and show it in a few thousand weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.contract.case import Case
from initcheck.contract.contract import Contract
from initcheck.contract.gains import required_power
from initcheck.contract.initializer import Initializer
from initcheck.sandbox.containment import InitializerRaised, contained

_WEIGHTS, _MOST_CALLS = 8_000, 400
_SIGMAS, _NEAR = 5.0, 0.03


class Glance:
    """What a change must show at a few shapes before it is worth a judgement.

    Attributes:
        cases: the shapes.
        contract: what the original is held to.
        scale: whether the variance is one of the things that are asked.
    """

    def __init__(self, cases: Sequence[Case], contract: Contract, *, scale: bool) -> None:
        self.cases, self.contract, self.scale = cases, contract, scale

    def refuses(self, copy: Initializer) -> str | None:
        """What is wrong: ``call``, ``shape``, ``values``, ``seed``, ``scale`` or ``mean``; None where nothing shows."""
        try:
            with contained():
                return next((why for case in self.cases if (why := self._at(copy, case)) is not None), None)
        except InitializerRaised:
            return "call"

    def values(self, copy: Initializer) -> bytes | None:
        """The numbers of one call a shape, by which two changes are told to be the same; None where it raises."""
        try:
            with contained():
                drawn = [
                    np.asarray(copy.sampler.to_numpy(w))
                    for case in self.cases[:3]
                    for w in copy.sampler.calls(case.asked, [1, 2], self.contract.dtypes[0])
                ]
        except InitializerRaised:
            return None
        return b"".join(a.astype(np.float64).tobytes() for a in drawn)

    def dtype_of(self, initializer: Initializer) -> str:
        """What it returns today, by name; empty where it raises."""
        try:
            with contained():
                [result] = initializer.sampler.calls(self.cases[0].asked, [1], self.contract.dtypes[0])
                return initializer.sampler.dtype_name(result)
        except (InitializerRaised, IndexError):
            return ""

    def _at(self, copy: Initializer, case: Case) -> str | None:
        dtype = self.contract.dtypes[0]
        size = math.prod(case.shape)
        seeds = list(range(11, 11 + max(2, min(_MOST_CALLS, _WEIGHTS // max(size, 1)))))
        first, again = (self._array(copy, copy.sampler.calls(case.asked, [s], dtype)[0]) for s in (seeds[0], seeds[0]))
        if first.shape != tuple(case.shape):
            return "shape"
        if not np.isfinite(first).all():
            return "values"
        if not np.array_equal(first, again):
            return "seed"
        drawn = [first, *(self._array(copy, w) for w in copy.sampler.weights(case.asked, seeds[1:], dtype))]
        if size > 4 and all(np.array_equal(first, w) for w in drawn[1:]):
            return "seed"
        return self._moment(case, np.stack([w.ravel() for w in drawn])) if self.scale else None

    def _moment(self, case: Case, drawn: npt.NDArray[np.float64]) -> str | None:
        contract = self.contract
        if contract.std is not None:
            wanted = contract.std**2
        else:
            wanted = required_power(contract) / case.fan(contract.fan or "fan_in")
        calls = np.mean(drawn**2, axis=1)
        found = float(calls.mean()) / wanted
        error = float(calls.std(ddof=1)) / math.sqrt(len(calls)) / wanted
        # A second moment is skewed: its own measured error is doubted below that of a normal.
        error = max(error, math.sqrt(2 / drawn.size) * found)
        if abs(found - 1) > _NEAR + _SIGMAS * error:
            return "scale"
        mean, rms = float(drawn.mean()), math.sqrt(float(np.mean(drawn**2)))
        expected = contract.mean or 0.0
        if abs(mean - expected) > _SIGMAS * rms / math.sqrt(drawn.size):
            return "mean"
        return None

    @staticmethod
    def _array(copy: Initializer, result: Any) -> npt.NDArray[np.float64]:
        return np.asarray(copy.sampler.to_numpy(result), dtype=np.float64)
