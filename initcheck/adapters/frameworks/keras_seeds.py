"""The seeds of Keras as numbers of a trace: the one that is handed over, and those that it draws where it has none.

Keras draws a seed from Python's generator for whatever is given none, and wants a whole number. In a trace it is handed
one that JAX takes for a number of the trace. Whoever looks at the whole number itself gets another one at each trace.
"""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.adapters.signatures.arguments import framework_module

Array = npt.NDArray[Any]

_HOME, _VARIABLES = "keras.src.random.seed_generator", "keras.src.backend.jax.core"


class _Seed(int):
    """A whole number as Keras asks for one, whose use in JAX is that of ``traced``."""

    traced: Any

    @classmethod
    def of(cls, number: int, traced: Any) -> _Seed:
        made = cls(number)
        made.traced = traced
        return made

    def __jax_array__(self) -> Any:
        return self.traced


class _Drawn:
    """Stands for the module ``random`` where Keras draws its seeds: those of a row, after its first."""

    def __init__(self, row: Any) -> None:
        self._left = list(row[1:])

    def randint(self, least: int, most: int) -> int:
        """The next one; what comes of the generator beside it is another number at each trace."""
        return _Seed.of(random.randint(least, most), self._left.pop(0))


def rows_of(seeds: Sequence[int], drawn: int) -> Array:
    """What stands for so many seeds in a trace: each of them, with as many as Keras draws once it was handed over.

    >>> rows_of([3], 2)
    array([[        3, 255512576, 636343333]], dtype=uint32)

    Args:
        seeds: whole numbers in [0, 2^31), from which Python's generator is started.
        drawn: how many seeds Keras may draw.
    """
    rows = np.zeros((len(seeds), 1 + drawn), np.uint32)
    rows[:, 0] = seeds
    if drawn:
        for row, seed in zip(rows, seeds, strict=True):
            # As Keras does it.
            integer = random.Random(seed).randint
            row[1:] = [integer(1, 10**9) for _ in range(drawn)]
    return rows


@contextlib.contextmanager
def traced_seeds(row: Any) -> Iterator[int]:
    """While it lasts, Keras draws its seeds from a traced row; the first of them is handed out.

    Raises:
        IndexError: Keras draws more of them.
        TypeError: something traced would be left in a variable of the user's that was there before.
    """
    home: Any = sys.modules[_HOME]
    variables: Any = sys.modules[_VARIABLES].JaxVariable
    drawn_by, assign = home.python_random, variables._direct_assign
    tracer = framework_module("jax").core.Tracer

    def guarded(variable: Any, value: Any) -> None:
        before = getattr(variable, "_value", None)
        if isinstance(value, tracer) and before is not None and not isinstance(before, tracer):
            raise TypeError(f"{variable.path} would keep what was traced.")
        assign(variable, value)

    numbers = [row[n] for n in range(row.shape[0])]
    home.python_random, variables._direct_assign = _Drawn(numbers), guarded
    try:
        yield _Seed.of(random.getrandbits(31), numbers[0])
    finally:
        home.python_random, variables._direct_assign = drawn_by, assign
