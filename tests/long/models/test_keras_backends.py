"""Keras on torch and on TensorFlow: what a signal, a gradient and a first loss say there is what they say on JAX."""

from __future__ import annotations

import importlib.util

import pytest
from framework_zoo import ZOO
from zoo_table import column

NETWORKS = ["gpt", "dead_branches", "vanishing"]


@pytest.mark.parametrize("backend", ["torch", "tensorflow"])
def test_the_verdicts_on_a_backend_are_those_of_jax(backend: str) -> None:
    if importlib.util.find_spec(backend) is None or importlib.util.find_spec("keras") is None:
        pytest.skip(f"Keras cannot run on {backend}: not installed here")
    rows = column(f"keras-{backend}", NETWORKS)
    assert rows is not None
    assert {name: fails for name, (fails, _, _) in rows.items()} == {name: ZOO[name][1] for name in NETWORKS}
    assert rows["gpt"][1] == []
