"""Results whose properties raise or end the process are told of as no arrays, and leave the reading to go on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from initcheck.adapters.frameworks.arrays import is_array, shape_of
from initcheck.errors import UsageError
from initcheck.targets.loading import load


def _raising(error: BaseException) -> Any:
    def told(self: Any) -> Any:
        raise error

    return type("Result", (), {"shape": property(told), "dtype": "float32", "__array__": lambda self: np.ones(3)})()


@pytest.mark.parametrize("error", [SystemExit(3), RuntimeError("no shape yet")], ids=["exits", "raises"])
def test_what_raises_where_its_shape_is_asked_for_is_refused_by_a_sentence(error: BaseException) -> None:
    def hostile(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
        return _raising(error)

    assert not is_array(_raising(error))
    assert shape_of(_raising(error)) is None
    with pytest.raises(UsageError, match="returns Result where an array is expected"):
        load(hostile, contract="activation=relu,layout=out_in")


def test_an_array_of_ones_own_is_one() -> None:
    class Own:
        shape, dtype = (2, 3), "float32"

        def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
            return np.ones(self.shape, self.dtype)

    assert is_array(Own())
    assert shape_of(Own()) == (2, 3)


def test_a_result_whose_class_raises_takes_no_run_down() -> None:
    class Odd:
        @property
        def __class__(self) -> Any:
            raise RuntimeError("no class")

    def odd(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
        return Odd()

    with pytest.raises(UsageError, match=r"cannot be read: as .* it raises RuntimeError: no class"):
        load(odd)
