"""Uniforms that are a function of a seed alone, by a counter run through splitmix64: no generator to build."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.contract.initializer import Shape

__all__ = ["CounterSampler", "uniforms"]


def uniforms(seeds: Sequence[int], count: int) -> npt.NDArray[np.float64]:
    """``count`` uniforms in (0, 1) of each seed."""
    with np.errstate(over="ignore"):
        mixed = _mix(_mix(np.asarray(seeds, dtype=np.uint64))[:, None] + np.arange(count, dtype=np.uint64))
    return ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


class CounterSampler(ABC):
    """A sampler whose arrays are a function of the seed alone; a class of its own says which, by ``calls``."""

    @abstractmethod
    def calls(self, shape: Shape, seeds: Sequence[int], dtype: str) -> list[Any]:
        """One array a seed."""

    def several(self, asked: Sequence[tuple[Shape, Sequence[int]]], dtype: str) -> list[list[Any]]:
        return [self.calls(shape, seeds, dtype) for shape, seeds in asked]

    def weights(self, shape: Shape, seeds: Sequence[int], dtype: str) -> list[Any]:
        return self.calls(shape, seeds, dtype)

    def streams(self, shapes: Sequence[Shape], seeds: Sequence[int], dtype: str) -> list[list[Any]] | None:
        return None

    def to_numpy(self, result: Any) -> Any:
        return result

    def dtype_name(self, result: Any) -> str:
        return str(result.dtype)


def _mix(x: Any) -> Any:
    x = (x + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
