"""The thing under test, after an adapter has made it uniform: shape, seed and dtype in, weights out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

from initcheck.contract.tested import Tested

Shape = tuple[int, ...]


class Sampler(Protocol):
    """What one adapter file makes of a user's object: how to call it, and how to read what it returned.

    Every seed is a whole number in [0, 2^31). No call may leave a global generator changed: the adapter
    runs the user's code inside ``isolated``. Exceptions of the user's code pass through as they are.
    """

    def calls(self, shape: Shape, seeds: Sequence[int], dtype: str) -> list[Any]:
        """One independent call per seed, results exactly as the user's code returned them."""

    def several(self, asked: Sequence[tuple[Shape, Sequence[int]]], dtype: str) -> list[list[Any]]:
        """``weights`` of several shapes, which may be isolated together."""

    def weights(self, shape: Shape, seeds: Sequence[int], dtype: str) -> list[Any]:
        """The weights of one call per seed, however they are drawn at the least cost: many calls compiled as one.

        A global generator that the code draws from beside the seed is started from that seed too.
        """

    def streams(self, shapes: Sequence[Shape], seeds: Sequence[int], dtype: str) -> list[list[Any]] | None:
        """One call per shape on ONE advancing generator a seed; None where the caller cannot share a generator."""

    def network(self, width: int, layers: int, seed: int, dtype: str) -> list[Any] | None:
        """The matrices of a network of so many equal layers, where one call makes all of them; else None."""

    def to_numpy(self, result: Any) -> npt.NDArray[Any]:
        """View or copy a result as an array (low-precision dtypes as ml_dtypes arrays or float32).

        Raises:
            TypeError: the result is no array of numbers; the message names its type.
        """

    def dtype_name(self, result: Any) -> str:
        """The dtype of a result, by its NumPy name: ``float32``, ``bfloat16``."""


@dataclass(frozen=True, kw_only=True)
class Initializer(Tested):
    """An initializer in the one form that the claims know.

    Attributes:
        sampler: how to call it.
        framework: ``numpy``, ``torch``, ``jax``, ``keras``, ``flax``, ``equinox``.
        signature: how it was called, such as ``(shape, rng)``.
        ranks: numbers of axes it accepts, where known; empty where unknown.
        squares: it makes square matrices only.
        equal_kernels: it takes one number for all sides of a kernel.
        kernels_meant: its code speaks of convolutions.
        by_kind: its code tells layers of kernels from others, and may hold them to a law of their own.
        takes_randomness: the caller hands it a seed, key or generator.
        uses_global_generator: without being handed one, it draws from a global generator.
        takes_dtype: a dtype can be asked for.
        batched: ``calls`` on many seeds costs far less than one by one (``vmap``).
        function: the user's object, where it is a function.
    """

    sampler: Sampler
    framework: str = "numpy"
    signature: str = ""
    ranks: tuple[int, ...] = ()
    squares: bool = False
    equal_kernels: bool = False
    kernels_meant: bool = False
    by_kind: bool = False
    takes_randomness: bool = True
    uses_global_generator: bool = False
    takes_dtype: bool = False
    batched: bool = False
    function: Callable[..., Any] | None = None

    @property
    def named(self) -> str:
        """Everything that it and its home are called, in which an activation may be named."""
        home = [getattr(self.function, key, None) for key in ("__module__", "__qualname__")]
        return " ".join([self.name, *(part for part in home if isinstance(part, str))])
