"""What a contract says of the calls themselves: matrices stacked along an axis, a mean that is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.contract.contract import Contract
from initcheck.contract.initializer import Initializer, Sampler, Shape

_MEMBERS = 4
_ALIKE = 1e-2  # relative error of a Gram matrix in the lowest precision that orthogonal weights are made in


def as_declared(initializer: Initializer, contract: Contract) -> Initializer:
    """The initializer as its contract says that it is called and meant; itself where the contract says nothing."""
    if contract.stack is not None:
        stacked = StackedSampler(initializer.sampler, contract.stack, contract.layout in ("in_out", "hwio", "wio"))
        note = (
            f"asked for {_MEMBERS} matrices stacked along axis {contract.stack}; each gives a share of the units"
            " judged, and where all are orthogonal the first is judged whole"
        )
        notes = (*initializer.notes, note)
        initializer = replace(initializer, sampler=stacked, ranks=(2,), notes=notes, batched=False)
    if contract.mean:
        note = f"judged less the declared mean {contract.mean:g}"
        centred = CentredSampler(initializer.sampler, contract.mean)
        initializer = replace(initializer, sampler=centred, notes=(*initializer.notes, note))
    return initializer


@dataclass(frozen=True)
class _Member:
    """One matrix taken from a stack, and the dtype of the stack."""

    array: npt.NDArray[Any]
    dtype: str


@dataclass
class WrappedSampler:
    """A sampler that asks another one, at the shape that ``asked`` says, and changes what comes back by ``changed``."""

    inner: Sampler

    def to_numpy(self, result: Any) -> npt.NDArray[Any]:
        """As the inner one, changed."""
        return self.inner.to_numpy(result)

    def dtype_name(self, result: Any) -> str:
        """As the inner one."""
        return self.inner.dtype_name(result)

    def asked(self, shape: Shape) -> Shape:
        """The shape that the inner one is asked for."""
        return shape

    def changed(self, result: Any, shape: Shape, dtype: str) -> Any:
        """What becomes of one result of the inner one."""
        return result

    def calls(self, shape: Shape, seeds: Sequence[int], dtype: str) -> list[Any]:
        """As the inner one, changed."""
        return [self.changed(r, shape, dtype) for r in self.inner.calls(self.asked(shape), seeds, dtype)]

    def several(self, asked: Sequence[tuple[Shape, Sequence[int]]], dtype: str) -> list[list[Any]]:
        """The weights of several shapes."""
        return [self.weights(shape, seeds, dtype) for shape, seeds in asked]

    def weights(self, shape: Shape, seeds: Sequence[int], dtype: str) -> list[Any]:
        """As the inner one, changed."""
        return [self.changed(r, shape, dtype) for r in self.inner.weights(self.asked(shape), seeds, dtype)]

    def streams(self, shapes: Sequence[Shape], seeds: Sequence[int], dtype: str) -> list[list[Any]] | None:
        """As the inner one, changed."""
        found = self.inner.streams([self.asked(s) for s in shapes], seeds, dtype)
        return found and [[self.changed(r, s, dtype) for r, s in zip(one, shapes, strict=True)] for one in found]

    def __getattr__(self, name: str) -> Any:
        if name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)


@dataclass
class CentredSampler(WrappedSampler):
    """The weights less the mean that is meant, so that what is held to zero is what is left."""

    mean: float

    def to_numpy(self, result: Any) -> npt.NDArray[Any]:
        """The weights less the mean."""
        array = self.inner.to_numpy(result)
        mean = np.asarray(self.mean, dtype=array.dtype if array.dtype.kind == "f" else np.float64)
        return np.asarray(array - mean)


@dataclass
class StackedSampler(WrappedSampler):
    """One matrix of many that are drawn together: experts, heads, a batch of kernels.

    Its units come from the members in turn: the first quarter from the first one. So a unit has the law that its
    member gives it at that shape, and members that are equal, as one key for all makes them, are units that are copies.
    Units of several orthogonal matrices are not orthogonal to one another: of such members the first is taken whole.
    """

    axis: int
    units_last: bool

    def to_numpy(self, result: Any) -> npt.NDArray[Any]:
        """It is an array already."""
        return np.asarray(result.array)

    def dtype_name(self, result: Any) -> str:
        """The dtype of the stack it is taken from."""
        return str(result.dtype)

    def asked(self, shape: Shape) -> Shape:
        """So many members beside one another along the axis."""
        axis = self.axis if self.axis >= 0 else len(shape) + 1 + self.axis
        return (*shape[:axis], _MEMBERS, *shape[axis:])

    def changed(self, result: Any, shape: Shape, dtype: str) -> _Member:
        """One matrix of the stack."""
        stack = self.inner.to_numpy(result)
        name = self.inner.dtype_name(result)
        if stack.shape != self.asked(shape):
            return _Member(stack, name)  # of another shape than asked: that is for the claims to say
        members: list[npt.NDArray[Any]] = list(np.moveaxis(stack, self.axis, 0))
        if _are_orthogonal(members) and not all(np.array_equal(m, members[0]) for m in members):
            return _Member(members[0], name)
        axis = -1 if self.units_last else 0
        # The same places of every member: members that are equal then give equal units.
        shares = [len(p) for p in np.array_split(np.arange(shape[axis]), _MEMBERS)]
        parts = [np.take(m, np.arange(n), axis=axis) for m, n in zip(members, shares, strict=True)]
        return _Member(np.concatenate(parts, axis=axis), name)


def _are_orthogonal(members: Sequence[npt.NDArray[Any]]) -> bool:
    """Whether the Gram matrix of the smaller side of each is the same multiple of the identity."""
    grams = []
    for member in members:
        w = np.asarray(member, dtype=np.float64)
        if w.ndim != 2 or not np.isfinite(w).all():
            return False
        grams.append(w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w)
    size = float(np.mean([np.trace(g) / max(1, len(g)) for g in grams]))
    return size > 0 and all(np.abs(g - size * np.eye(len(g))).max(initial=0.0) <= _ALIKE * size for g in grams)
