"""The axes that a function of ``jax.nn.initializers`` was told: which are of the inputs, the units, the batch."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.adapters.frameworks.jax_init import axes_in, layout_of
from initcheck.contract.initializer import Shape
from initcheck.wording import listed

MEMBERS = 4
"""Matrices of a batch that are drawn together."""
_MOST = 8  # axes of a weight; what says more is read by its results


@dataclass(frozen=True)
class Axes:
    """What each axis of a weight is of; an axis that is of none of them is given the size 1.

    >>> Axes.of({"in_axis": 0, "out_axis": (1, 2)}).shape(6, 12)
    (6, 3, 4)
    >>> Axes.of({"in_axis": -2, "out_axis": -1, "batch_axis": 0}).shape(6, 12)
    (4, 6, 12)

    Attributes:
        ins: the axes of the inputs.
        outs: the axes of the units.
        batch: the axes that number matrices of their own.
    """

    ins: tuple[int, ...]
    outs: tuple[int, ...]
    batch: tuple[int, ...]

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Axes | None:
        """The axes of what an initializer was told, as of the fewest axes that it can be asked for.

        None where they overlap at every number of axes, or there are none of the inputs or of the units.
        """
        told = [axes_in(said.get(key, default)) for key, default in (("in_axis", -2), ("out_axis", -1))]
        told.append(axes_in(said.get("batch_axis", ())))
        for rank in range(2, _MOST + 1):
            if all(-rank <= axis < rank for axes in told for axis in axes):
                ins, outs, batch = (tuple(axis % rank for axis in axes) for axes in told)
                if ins and outs and len({*ins, *outs, *batch}) == len(ins) + len(outs) + len(batch):
                    return cls(ins, outs, batch)
        return None

    def shape(self, inputs: int, units: int) -> Shape:
        """The shape with so many inputs and units, as even as whole factors allow, and four members of a batch."""
        sides = [1] * (max(self.ins + self.outs + self.batch) + 1)
        for axes, size in ((self.ins, inputs), (self.outs, units), (self.batch, MEMBERS)):
            for axis, side in zip(axes, _factors(size, len(axes)), strict=True):
                sides[axis] = side
        return tuple(sides)

    def matrices(self, weights: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The matrices (inputs, units) that lie in an array of such a shape, one after another.

        >>> Axes((1,), (0, 2), ()).matrices(np.arange(12).reshape(2, 3, 2)).shape
        (1, 3, 4)
        """
        others = tuple(k for k in range(weights.ndim) if k not in {*self.ins, *self.outs, *self.batch})
        inputs = math.prod(weights.shape[k] for k in self.ins + others)
        units = math.prod(weights.shape[k] for k in self.outs)
        turned = np.transpose(weights, (*self.batch, *self.ins, *others, *self.outs))
        return turned.reshape(-1, inputs, units)

    def __str__(self) -> str:
        said = [f"in_axis={_shown(self.ins)}", f"out_axis={_shown(self.outs)}"]
        return listed([*said, *([f"batch_axis={_shown(self.batch)}"] if self.batch else [])], len(said) + 1)


def told_axes(function: Callable[..., Any]) -> Axes | None:
    """The axes of a function made by ``jax.nn.initializers`` whose meaning is none that a layout names.

    None of what is laid out as Keras and JAX do (the last two axes), or as PyTorch (the first two, units first).
    """
    closed = dict(inspect.getclosurevars(function).nonlocals)
    if not {"in_axis", "out_axis"} <= set(closed) or layout_of(closed) is not None:
        return None
    return Axes.of(closed)


def _shown(axes: tuple[int, ...]) -> str:
    return str(axes[0]) if len(axes) == 1 else str(axes)


def _factors(size: int, count: int) -> list[int]:
    """So many whole factors of a size, as even as they can be, the smallest first."""
    if count <= 1:
        return [size] * count
    near = size ** (1 / count) + 1e-9
    first = max(n for n in range(1, int(near) + 1) if size % n == 0)
    return [first, *_factors(size // first, count - 1)]
