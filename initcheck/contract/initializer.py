"""The thing under test, after an adapter has made it uniform: shape, seed and dtype in, weights out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy.typing as npt

from initcheck.contract.contract import Contract
from initcheck.contract.profile import Profile

__all__ = ["Initializer", "Sampler", "Shape"]

Shape = tuple[int, ...]


class Sampler(Protocol):
    """What one adapter file makes of a user's object: how to call it, and how to read what it returned.

    Every seed is a whole number in [0, 2^31). No call may leave a global generator changed: the adapter
    runs the user's code inside ``isolated``. Exceptions of the user's code pass through as they are.
    """

    def calls(self, shape: Shape, seeds: Sequence[int], dtype: str) -> list[Any]:
        """One independent call per seed, results exactly as the user's code returned them."""

    def stream(self, shapes: Sequence[Shape], seed: int, dtype: str) -> list[Any] | None:
        """One call per shape on ONE advancing generator; None where the caller cannot share a generator."""

    def to_numpy(self, result: Any) -> npt.NDArray[Any]:
        """View or copy a result as an array (low-precision dtypes as ml_dtypes arrays or float32).

        Raises:
            TypeError: the result is no array of numbers; the message names its type.
        """

    def dtype_name(self, result: Any) -> str:
        """The dtype of a result, by its NumPy name: ``float32``, ``bfloat16``."""


@dataclass(frozen=True, kw_only=True)
class Initializer:
    """An initializer in the one form that the claims know.

    Attributes:
        name: the target text; it appears in every message and seeds every draw.
        sampler: how to call it.
        contract: what was declared or is known of it; what is missing is inferred later.
        framework: ``numpy``, ``torch``, ``jax``, ``keras``, ``flax``, ``equinox``.
        signature: how it was called, such as ``(shape, rng)``.
        ranks: numbers of axes it accepts, where known; empty where unknown.
        squares: it makes square matrices only.
        takes_randomness: the caller hands it a seed, key or generator.
        uses_global_generator: without being handed one, it draws from a global generator.
        takes_dtype: a dtype can be asked for.
        batched: ``calls`` on many seeds costs far less than one by one (``vmap``).
        location: file and line of the user's code, where there is one.
        recipe: plain data from which ``initcheck.targets.loading.rebuild`` makes it again in a fresh process;
            None where only this process has it (a lambda, a closure).
        notes: what a reader must know, such as how the signature was read.
        subject: makes what its claims share, from (itself, profile, seed), where it is no plain function of a shape:
            a layer; None for the plain one.
    """

    name: str
    sampler: Sampler
    contract: Contract = field(default_factory=Contract)
    framework: str = "numpy"
    signature: str = ""
    ranks: tuple[int, ...] = ()
    squares: bool = False
    takes_randomness: bool = True
    uses_global_generator: bool = False
    takes_dtype: bool = False
    batched: bool = False
    location: tuple[str, int] | None = None
    recipe: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    function: Callable[..., Any] | None = None
    subject: Callable[[Initializer, Profile, int], Any] | None = None

    def __str__(self) -> str:
        return self.name
