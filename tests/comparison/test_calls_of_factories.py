"""Factories of models called by seed: those that JAX compiles anew are compiled once, where that changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from initcheck.comparison.weights.calls import Calls
from initcheck.comparison.weights.tensors import tensors_of
from initcheck.errors import UsageError

jax = pytest.importorskip("jax")


def _drawn(key: Any) -> Any:
    """Compiled anew at each call: JAX knows a scan by its function, and this one is another every time."""
    return jax.lax.scan(lambda carry, one: (carry, jax.random.normal(one, (4,))), 0, jax.random.split(key, 3))[1]


def test_a_factory_that_compiles_anew_of_its_key_is_compiled_and_gives_what_it_gave() -> None:
    traced = []

    def build(key: Any) -> dict[str, Any]:
        traced.append(key)
        return {"w": _drawn(key)}

    call = Calls(build)
    found = [call(seed)["w"] for seed in range(8)]
    assert len(traced) == 4  # three calls, and one that is traced
    for seed, values in enumerate(found):
        assert np.allclose(values, _drawn(jax.random.key(seed)))


def test_a_factory_that_compiles_nothing_anew_is_called_as_it_is() -> None:
    called = []

    def build(key: Any) -> dict[str, Any]:
        called.append(key)
        return {"w": jax.random.normal(key, (3, 4))}

    call = Calls(build)
    assert len([call(seed) for seed in range(8)]) == len(called) == 8


def test_a_factory_that_draws_from_elsewhere_too_is_called_as_it_is() -> None:
    rng = np.random.default_rng(0)

    def build(key: Any) -> dict[str, Any]:
        return {"w": _drawn(key), "v": jax.numpy.asarray(rng.normal(size=3))}

    call = Calls(build)
    found = [np.asarray(call(seed)["v"]) for seed in range(6)]
    assert len({values.tobytes() for values in found}) == 6


def test_a_factory_that_cannot_be_traced_is_called_as_it_is() -> None:
    def build(key: Any) -> dict[str, Any]:
        w = _drawn(key)
        return {"w": w / float(w.std())}

    call = Calls(build)
    assert all(np.std(call(seed)["w"]) == pytest.approx(1, abs=1e-5) for seed in range(6))


def test_a_module_of_linen_is_told_to_be_initialised() -> None:
    linen = pytest.importorskip("flax.linen")
    with pytest.raises(UsageError, match=r"Dense\(...\).init\(key, batch\), where the batch has the sizes"):
        tensors_of(linen.Dense(4), "m:build")
