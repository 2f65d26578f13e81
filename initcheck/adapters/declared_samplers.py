"""What is said of the calls themselves: axes of inputs and units, matrices stacked along one, a mean that is meant."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.adapters.frameworks.jax_init import made_by_jax
from initcheck.adapters.jax_axes import MEMBERS, Axes, told_axes
from initcheck.contract.contract import Contract
from initcheck.contract.initializer import Initializer, Sampler, Shape

_ALIKE = 1e-2  # relative error of a Gram matrix in the lowest precision that orthogonal weights are made in


def as_declared(initializer: Initializer, contract: Contract) -> Initializer:
    """The initializer as its contract, or itself, says that it is called and meant; itself where neither does."""
    axes = _axes_of(initializer, contract)
    if axes is not None:
        contract = contract.filled_by(Contract(layout="in_out"), "known")
        note = f"asked for weights with the axes that it was told, {axes}; they are judged as matrices (inputs, units)"
        initializer = replace(
            initializer,
            sampler=FoldedSampler(initializer.sampler, axes),
            contract=contract,
            ranks=(2,),
            notes=(*initializer.notes, note),
        )
    if contract.stack is not None:
        stacked = StackedSampler(initializer.sampler, contract.stack, contract.layout in ("in_out", "hwio", "wio"))
        note = (
            f"asked for {MEMBERS} matrices stacked along axis {contract.stack}; each gives a share of the units"
            " judged, and where all are orthogonal the first is judged whole"
        )
        notes = (*initializer.notes, note)
        initializer = replace(initializer, sampler=stacked, ranks=(2,), notes=notes, batched=False)
    if contract.mean:
        note = f"judged less the declared mean {contract.mean:g}"
        centred = CentredSampler(initializer.sampler, contract.mean)
        initializer = replace(initializer, sampler=centred, notes=(*initializer.notes, note))
    return initializer


def _axes_of(initializer: Initializer, contract: Contract) -> Axes | None:
    """The axes that a function of JAX was told, where no user says what they mean."""
    made = made_by_jax(getattr(initializer.sampler, "function", None))
    told = contract.stack is not None or contract.origins.get("layout") == "declared"
    return None if made is None or told else told_axes(made)


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
class MembersSampler(WrappedSampler, ABC):
    """One matrix of some that are drawn together.

    Its units come from the members in turn: the first quarter from the first one of four. So a unit has the law that
    its member gives it at that shape, and members that are equal, as one key for all makes them, are units that are
    copies. Units of several orthogonal matrices are not orthogonal to one another: of such the first is taken whole.
    """

    def to_numpy(self, result: Any) -> npt.NDArray[Any]:
        """It is an array already."""
        return np.asarray(result.array)

    def dtype_name(self, result: Any) -> str:
        """The dtype of the stack it is taken from."""
        return str(result.dtype)

    def returned(self, shape: Shape) -> Shape:
        """The shape of one result."""
        return self.asked(shape)

    @abstractmethod
    def members(self, weights: npt.NDArray[Any]) -> Sequence[npt.NDArray[Any]]:
        """The matrices that lie in one result."""

    def unit_axis(self) -> int:
        """The axis of the units of a member."""
        return 0

    def changed(self, result: Any, shape: Shape, dtype: str) -> _Member:
        """One matrix of the stack."""
        weights = self.inner.to_numpy(result)
        name = self.inner.dtype_name(result)
        if weights.shape != self.returned(shape):
            return _Member(weights, name)  # of another shape than asked: that is for the claims to say
        members = self.members(weights)
        alike = _are_orthogonal(members) and not all(np.array_equal(m, members[0]) for m in members[1:])
        if len(members) == 1 or alike:
            return _Member(members[0], name)
        axis = self.unit_axis()
        # The same places of every member: members that are equal then give equal units.
        shares = [len(p) for p in np.array_split(np.arange(shape[axis]), len(members))]
        parts = [np.take(m, np.arange(n), axis=axis) for m, n in zip(members, shares, strict=True)]
        return _Member(np.concatenate(parts, axis=axis), name)


@dataclass
class StackedSampler(MembersSampler):
    """One matrix of many that are drawn together along an axis: experts, heads, a batch of kernels."""

    axis: int
    units_last: bool

    def asked(self, shape: Shape) -> Shape:
        """So many members beside one another along the axis."""
        axis = self.axis if self.axis >= 0 else len(shape) + 1 + self.axis
        return (*shape[:axis], MEMBERS, *shape[axis:])

    def members(self, weights: npt.NDArray[Any]) -> Sequence[npt.NDArray[Any]]:
        """The matrices along the axis."""
        return list(np.moveaxis(weights, self.axis, 0))

    def unit_axis(self) -> int:
        """The last axis of a matrix (in, out), the first of (out, in)."""
        return -1 if self.units_last else 0


@dataclass
class FoldedSampler(MembersSampler):
    """The matrix (inputs, units) of weights whose inputs and units lie along several axes, or along unusual ones."""

    axes: Axes

    def asked(self, shape: Shape) -> Shape:
        """The shape of so many inputs and units along the axes."""
        return self.axes.shape(*shape)

    def members(self, weights: npt.NDArray[Any]) -> Sequence[npt.NDArray[Any]]:
        """The matrices of the batch, or the one there is."""
        return list(self.axes.matrices(weights))

    def unit_axis(self) -> int:
        """The units come last."""
        return -1


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
