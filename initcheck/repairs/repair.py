"""One change of an initializer, in words and in code, and the copy of the initializer that has it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.contract.contract import Contract
from initcheck.contract.initializer import Initializer, Sampler, Shape

__all__ = ["Repair", "repaired"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Repair:
    """A change, and what it does.

    Attributes:
        kind: ``factor``, ``formula``, ``signs``, ``copy``, ``dtype``, ``axes``, ``state`` or ``replace``, from the
            smallest on.
        words: what to change, in a sentence.
        code: the line to write; ``w`` is what the initializer returns today.
        after: what becomes of the returned weights, of their shape and the seed; None where the call itself changes.
        around: a context the call runs in; None for none.
        draw: what is drawn in place of the initializer's own weights; None where these stay.
    """

    kind: str
    words: str
    code: str
    after: Callable[[Array, Shape, int], Array] | None = None
    around: Callable[[], Any] | None = None
    draw: Callable[[Shape, int], Array] | None = None


def repaired(initializer: Initializer, repair: Repair, contract: Contract) -> Initializer:
    """A copy of an initializer with a change, held to the same contract as the original was.

    Args:
        initializer: the original; it is called, and stays as it is.
        repair: the change.
        contract: what the original was held to, so that nothing is inferred of the copy.
    """
    sampler = _Repaired(initializer.sampler, repair, keeps_dtype=not initializer.takes_dtype)
    changes: dict[str, Any] = {}
    if repair.draw is not None:
        changes = {"takes_randomness": True, "uses_global_generator": False}
    declared = dataclasses.replace(contract, origins=dict.fromkeys(contract.said(), "declared"), waive={})
    return dataclasses.replace(initializer, sampler=sampler, contract=declared, recipe=None, function=None, **changes)


class _Repaired:
    """A sampler whose results are changed on their way out; they are NumPy arrays."""

    def __init__(self, inner: Sampler, repair: Repair, *, keeps_dtype: bool) -> None:
        self.inner, self.repair, self.keeps_dtype = inner, repair, keeps_dtype

    def calls(self, shape: Shape, seeds: Sequence[int], dtype: str) -> list[Any]:
        """One call a seed."""
        repair = self.repair
        if repair.draw is not None:
            return [repair.draw(tuple(shape), seed).astype(_plain_dtype(dtype)) for seed in seeds]
        found = []
        for seed in seeds:
            if repair.around is None:
                [result] = self.inner.calls(shape, [seed], dtype)
            else:
                with repair.around():
                    [result] = self.inner.calls(shape, [seed], dtype)
            weights = np.asarray(self.inner.to_numpy(result))
            if repair.after is not None:
                kind = weights.dtype if repair.kind != "dtype" else _plain_dtype(dtype)
                weights = np.asarray(repair.after(weights, tuple(shape), seed)).astype(kind)
            found.append(weights)
        return found

    def weights(self, shape: Shape, seeds: Sequence[int], dtype: str) -> list[Any]:
        """As ``calls``: what changes a result must see what each call gave."""
        return self.calls(shape, seeds, dtype)

    def stream(self, shapes: Sequence[Shape], seed: int, dtype: str) -> list[Any] | None:
        """Of what is drawn anew, as independent calls; else there is no generator to share here."""
        return None

    def to_numpy(self, result: Any) -> Array:
        """The result itself."""
        return np.asarray(result)

    def dtype_name(self, result: Any) -> str:
        """Its dtype's name."""
        return str(np.asarray(result).dtype)


def _plain_dtype(name: str) -> Any:
    try:
        return np.dtype(name)
    except TypeError:
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, name))
