"""The cases of a built layer: one block of one weight at one size, or the whole layer as a function."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.contract.case import Case
from initcheck.layers.bench.sizes import Size

Array = npt.NDArray[Any]


@dataclass(frozen=True, order=True)
class Block:
    """A stretch of one axis of a weight that is a matrix of its own: a gate, or q, k and v packed."""

    axis: int
    number: int
    of: int

    def slice(self, array: Array) -> Array:
        """The block of a whole weight."""
        width = array.shape[self.axis] // self.of
        index = [slice(None)] * array.ndim
        index[self.axis] = slice(self.number * width, (self.number + 1) * width)
        return array[tuple(index)]


@dataclass(frozen=True, order=True)
class Part(Case):
    """A block of a weight as one unit of it sees it; its fans are those that were measured.

    Attributes:
        size: how the layer was built.
        number: of the size among those of the target.
        weight: the name of the weight.
        place: its number among the weights of the layer.
        view: the shape with axes that hold several groups split in two.
        summed: the axes of ``view`` that one unit sums over.
        fans: true fan_in and fan_out.
        block: which stretch of the weight; None for all of it.
        masked: some of its entries reach no output.
    """

    size: Size
    number: int
    weight: str
    place: int
    view: tuple[int, ...]
    summed: tuple[int, ...]
    fans: tuple[float, float]
    block: Block | None = None
    masked: bool = False

    @property
    def asked(self) -> tuple[int, ...]:
        """What a ``LayerSampler`` is asked for."""
        return (self.number, self.place)

    @property
    def seeded_by(self) -> str:
        """The size: all parts of one size are read off the same builds."""
        return str(self.size)

    @property
    def inputs(self) -> int:
        """Weights of one unit."""
        return math.prod(self.view[axis] for axis in self.summed)

    @property
    def units(self) -> int:
        """Rows of ``as_units``."""
        return math.prod(self.shape) // self.inputs

    @property
    def fan_in(self) -> float:
        """The measured number of inputs of one output: the mean, where outputs differ (strided and transposed)."""
        return self.fans[0]

    @property
    def fan_out(self) -> float:
        """The measured number of outputs that one input reaches."""
        return self.fans[1]

    @property
    def stride(self) -> int:
        """Of the convolution."""
        return self.size.stride

    @property
    def title(self) -> str:
        """The name of the weight, and which block of it."""
        if self.block is None:
            return self.weight
        return f"{self.weight}, block {self.block.number + 1} of {self.block.of}"

    @property
    def whole(self) -> Part:
        """The whole weight that this is a block of."""
        if self.block is None:
            return self
        shape = list(self.shape)
        shape[self.block.axis] *= self.block.of
        return dataclasses.replace(self, shape=tuple(shape), view=tuple(shape), block=None)

    def of(self, weight: Array) -> Array:
        """This part of the whole weight."""
        return weight if self.block is None else self.block.slice(weight)

    def as_units(self, array: Array) -> Array:
        """View (..., *shape) as (..., units, inputs)."""
        lead = array.ndim - len(self.shape)
        split = array.reshape(*array.shape[:lead], *self.view)
        summed = [lead + axis for axis in self.summed]
        moved = np.moveaxis(split, summed, range(split.ndim - len(summed), split.ndim))
        return moved.reshape(*array.shape[:lead], self.units, self.inputs)

    def described(self, dtype: str) -> str:
        """The part in words."""
        fans = f"fan_in {self.fan_in:.4g}, fan_out {self.fan_out:.4g}"
        return f"shape {self.shape}, {dtype}: {self.title} of a layer built with {self.size}; {fans}"


@dataclass(frozen=True, order=True)
class Whole(Case):
    """A layer as a function, measured on random inputs: no weight of it tells what it does (weight normalisation).

    Attributes:
        shape: of what a measurement gives.
        size: how the layer was built.
        number: of the size among those of the target.
        fans: inputs that one output answers to, outputs that one input reaches.
        gradients: numbers of a backward measurement for one input.
        backward: input gradients are measured, not outputs.
        slope: of a layer that is no linear map, what turns its answer to its weight into the pre-activation
            (``initcheck.layers.bench.response``); 0 where its output is one.
    """

    size: Size
    number: int
    fans: tuple[float, float]
    gradients: int
    backward: bool = False
    slope: float = 0.0

    @property
    def asked(self) -> tuple[int, ...]:
        """The number of its size; the layer as a function is built of it."""
        return (self.number,)

    @property
    def seeded_by(self) -> str:
        """The size."""
        return str(self.size)

    @property
    def fan_in(self) -> float:
        """Inputs that one output sums over."""
        return self.fans[0]

    @property
    def fan_out(self) -> float:
        """Outputs that one input reaches."""
        return self.fans[1]

    @property
    def units(self) -> int:
        """One."""
        return 1

    @property
    def inputs(self) -> int:
        """Numbers of one measurement."""
        return math.prod(self.shape)

    @property
    def stride(self) -> int:
        """Of the convolution."""
        return self.size.stride

    def as_units(self, array: Array) -> Array:
        """View (..., *shape) as one unit."""
        lead = array.ndim - len(self.shape)
        return array.reshape(*array.shape[:lead], 1, -1)

    @property
    def title(self) -> str:
        """The layer."""
        return "the whole layer"

    @property
    def turned(self) -> Whole:
        """The same layer, its input gradients measured."""
        return dataclasses.replace(self, backward=True, shape=(self.shape[0], self.gradients))

    def described(self, dtype: str) -> str:
        """The layer in words."""
        fans = f"fan_in {self.fan_in:.4g}, fan_out {self.fan_out:.4g}"
        if self.slope:
            return f"the layer built with {self.size}, its answer to its weight in {dtype}; {fans}"
        return f"the whole layer built with {self.size}, run on random inputs in {dtype}; {fans}"
