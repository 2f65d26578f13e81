"""A batch of NumPy arrays for a model outside of torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from initcheck.models.batches.batch_text import Part, named_function, names_function, nested, parts_of

__all__ = ["ArrayBatch", "array_batch_from", "array_batch_of"]

_SEED = 20260102


@dataclass(frozen=True)
class ArrayBatch:
    """Arguments of one call of a model.

    Attributes:
        args, kwargs: the arguments.
        text: in words, such as ``int<100:2x16``.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""

    def shuffled(self) -> ArrayBatch:
        """Another batch of the same kind: the entries of every array in another order."""
        generator = np.random.default_rng(_SEED + 1)

        def other(value: Any) -> Any:
            if not hasattr(value, "shape"):
                return value
            array = np.asarray(value)
            if array.size < 2:
                return value
            mixed = generator.permutation(array.reshape(-1)).reshape(array.shape)
            if array.ndim < 3 or array.dtype.kind != "f":
                return mixed
            # Images of noise have one mean; each gets a colour.
            colour = generator.standard_normal((*array.shape[:1], *(1,) * (array.ndim - 2), array.shape[-1]))
            return (mixed / 2 + colour * array.std()).astype(array.dtype)

        return ArrayBatch(tuple(map(other, self.args)), {n: other(v) for n, v in self.kwargs.items()}, self.text)


def array_batch_of(text: str) -> ArrayBatch:
    """The batch of a text of shapes.

    >>> array_batch_of("int<100:2x16").args[0].shape
    (2, 16)

    Raises:
        UsageError: it cannot be read.
    """
    made = [(part.name, _array(part)) for part in parts_of(text)]
    return ArrayBatch(tuple(a for n, a in made if not n), nested({n: a for n, a in made if n}), text)


def array_batch_from(given: object) -> Callable[[], ArrayBatch] | None:
    """Make a batch of what the user gave: text, ``pkg:make_batch``, a function, or the arguments themselves.

    Raises:
        UsageError: it cannot be read, or the named function is not there.
    """
    if given is None:
        return None
    if isinstance(given, str):
        text = given
        if names_function(text):
            return lambda: _wrapped(named_function(text)(), text)
        return lambda: array_batch_of(text)
    if callable(given):
        make = given
        return lambda: _wrapped(make(), getattr(make, "__name__", "batch"))
    return lambda: _wrapped(given, "the given batch")


def _array(part: Part) -> Any:
    generator = np.random.default_rng(_SEED)
    if part.all_of is not None:
        return np.full(part.shape, part.all_of, np.int32)
    if part.high:
        return generator.integers(0, part.high, part.shape, dtype=np.int32)
    return np.ones(part.shape, np.float32) if part.ones else generator.standard_normal(part.shape, dtype=np.float32)


def _wrapped(made: Any, text: str) -> ArrayBatch:
    if isinstance(made, Mapping):
        return ArrayBatch((), dict(made), text)
    return ArrayBatch(tuple(made) if isinstance(made, (tuple, list)) else (made,), {}, text)
