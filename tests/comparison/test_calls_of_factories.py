"""Factories of models called by seed: slow ones of JAX are compiled where that changes nothing, and only there."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from initcheck.comparison.weights import calls
from initcheck.comparison.weights.calls import Calls
from initcheck.comparison.weights.tensors import tensors_of
from initcheck.errors import UsageError

jax = pytest.importorskip("jax")


def _slow() -> None:
    began = time.process_time()
    while time.process_time() - began < 0.02:
        pass


@pytest.fixture(autouse=True)
def _any_second_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_SLOW", 0.01)


def test_a_slow_factory_of_its_key_is_compiled_and_gives_what_it_gave() -> None:
    traced = []

    def build(key: Any) -> dict[str, Any]:
        traced.append(key)
        _slow()
        return {"w": jax.random.normal(key, (3, 4))}

    call = Calls(build)
    found = [call(seed)["w"] for seed in range(8)]
    assert len(traced) == 4  # three calls, and one that is traced
    for seed, values in enumerate(found):
        assert np.allclose(values, jax.random.normal(jax.random.key(seed), (3, 4)))


def test_a_factory_that_draws_from_elsewhere_too_is_called_as_it_is() -> None:
    rng = np.random.default_rng(0)

    def build(key: Any) -> dict[str, Any]:
        _slow()
        return {"w": jax.random.normal(key, (3, 4)), "v": jax.numpy.asarray(rng.normal(size=3))}

    call = Calls(build)
    found = [np.asarray(call(seed)["v"]) for seed in range(6)]
    assert len({values.tobytes() for values in found}) == 6


def test_a_factory_that_cannot_be_traced_is_called_as_it_is() -> None:
    def build(key: Any) -> dict[str, Any]:
        _slow()
        w = jax.random.normal(key, (3, 4))
        return {"w": w / float(w.std())}

    call = Calls(build)
    assert all(np.std(call(seed)["w"]) == pytest.approx(1, abs=1e-5) for seed in range(6))


def test_a_module_of_linen_is_told_to_be_initialised() -> None:
    linen = pytest.importorskip("flax.linen")
    with pytest.raises(UsageError, match=r"Dense\(...\).init\(key, batch\), where the batch has the sizes"):
        tensors_of(linen.Dense(4), "m:build")
