"""What a claim is asked of: something that a call draws, and that is judged by its units and fans."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy.typing as npt


@dataclass(frozen=True, order=True)
class Case(ABC):
    """One thing to draw and judge: a shape (``Layer``), a weight of a built layer, or a layer run as a function.

    Attributes:
        shape: of what a call gives.
    """

    shape: tuple[int, ...]

    @property
    @abstractmethod
    def asked(self) -> tuple[int, ...]:
        """What a sampler is asked for."""

    @property
    @abstractmethod
    def seeded_by(self) -> object:
        """What names its calls when seeds are derived; cases that are read off the same calls share it."""

    @property
    @abstractmethod
    def units(self) -> int:
        """Number of output units: the rows of ``as_units``."""

    @property
    @abstractmethod
    def inputs(self) -> int:
        """Number of weights of one unit: the columns of ``as_units``."""

    @property
    @abstractmethod
    def fan_in(self) -> float:
        """Number of inputs of one output."""

    @property
    @abstractmethod
    def fan_out(self) -> float:
        """Number of outputs that one input reaches."""

    @abstractmethod
    def as_units(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """View (..., *shape) as (..., units, inputs): one row an output unit."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is called beside its kin."""

    @abstractmethod
    def described(self, dtype: str) -> str:
        """The case in words, as every message gives it."""

    @cached_property
    def weights(self) -> int:
        """How many numbers a call gives."""
        return math.prod(self.shape)

    def fan(self, name: str) -> float:
        """One of the fans that a variance may be promised to be divided by.

        Args:
            name: ``fan_in``, ``fan_out``, ``fan_avg`` or ``fan_max``.
        """
        if name == "fan_max":
            # An orthogonal convolution is one of its matrix (units, inputs), whatever fan_out counts.
            return max(self.inputs, self.units)
        return {"fan_in": self.fan_in, "fan_out": self.fan_out, "fan_avg": (self.fan_in + self.fan_out) / 2}[name]

    @property
    def groups(self) -> int:
        """Groups of units that share no input; 1 where every unit sees every input."""
        return 1

    @property
    def stride(self) -> int:
        """Of a convolution; 1 where only the shape is known."""
        return 1

    @property
    def masked(self) -> bool:
        """Whether a mask keeps units from some of their weights, so that only a run tells how large an output is."""
        return False

    @property
    def is_square(self) -> bool:
        """Whether as many inputs reach a unit as units see an input: the fans are equal."""
        return self.fan_in == self.fan_out
