"""One layer's weight tensor: its shape, the meaning of its axes, and so its fans."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.contract.case import Case

_DENSE = {"out_in": "oi", "in_out": "io"}


@dataclass(frozen=True, order=True)
class Layer(Case):
    """A weight tensor as one unit sees it.

    >>> conv = Layer((32, 16, 3, 3), "oihw")
    >>> conv.fan_in, conv.fan_out, conv.units, conv.inputs
    (144, 288, 32, 144)

    Attributes:
        shape: the shape that the initializer is asked for.
        layout: the meaning of its axes (see ``initcheck.contract.contract.LAYOUTS``).
        groups: groups of a convolution: the tensor's own input axis already holds in/groups channels.
    """

    layout: str = "out_in"
    groups: int = 1

    @cached_property
    def axes(self) -> str:
        """One letter an axis: ``o`` output, ``i`` input, the rest are positions of the receptive field."""
        return _DENSE.get(self.layout, self.layout)

    @cached_property
    def units(self) -> int:
        """Number of output units (output channels)."""
        return self.shape[self.axes.index("o")]

    @cached_property
    def channels(self) -> int:
        """Number of input channels one unit sees."""
        return self.shape[self.axes.index("i")]

    @cached_property
    def receptive(self) -> int:
        """Positions of the receptive field; 1 for a dense layer."""
        return math.prod(self.sides)

    @cached_property
    def sides(self) -> tuple[int, ...]:
        """The sides of the receptive field in the order of its axes; none of a dense layer."""
        return tuple(n for n, axis in zip(self.shape, self.axes, strict=True) if axis not in "oi")

    @cached_property
    def inputs(self) -> int:
        """Number of weights of one unit; the columns of ``as_units``."""
        return self.channels * self.receptive

    @property
    def fan_in(self) -> int:
        """True number of inputs of one unit (stride 1)."""
        return self.inputs

    @cached_property
    def fan_out(self) -> int:
        """True number of outputs that one input reaches (stride 1)."""
        return self.units // self.groups * self.receptive

    @property
    def asked(self) -> tuple[int, ...]:
        """What a sampler is asked for: the shape."""
        return self.shape

    @property
    def seeded_by(self) -> tuple[int, ...]:
        """The shape."""
        return self.shape

    @property
    def is_dense(self) -> bool:
        """Whether this is a matrix."""
        return self.layout in _DENSE

    def as_units(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """View (..., *shape) as (..., units, inputs): one row an output unit."""
        lead = array.ndim - len(self.shape)
        axis = lead + self.axes.index("o")
        if axis == lead:
            return array.reshape(*array.shape[:lead], self.units, self.inputs)
        return np.moveaxis(array, axis, lead).reshape(*array.shape[:lead], self.units, self.inputs)

    @property
    def title(self) -> str:
        """What it is called beside its kin."""
        return f"shape {self.shape}"

    def described(self, dtype: str) -> str:
        """The layer in words, as every message gives it.

        >>> Layer((1, 1)).described("float32")
        'shape (1, 1), float32: dense, fan_in 1, fan_out 1'
        """
        kind = "dense" if self.is_dense else f"convolution {self.layout}"
        return f"shape {self.shape}, {dtype}: {kind}, fan_in {self.fan_in}, fan_out {self.fan_out}"
