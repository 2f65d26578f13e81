"""Batch norms meet the moments of their batch in every framework, dropout beside them or not.

The moments that they have kept at a start are 0 and 1, of no weights: with these in their place four layers of std
1e-9 lose the input, which a network in training does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from initcheck.doors.check_model import check_model
from initcheck.report.verdict import Verdict

CLAIM = "input-reaches-the-output"


def of_keras(normed: bool) -> Callable[[], Any]:
    keras = pytest.importorskip("keras")

    def build() -> Any:
        steps = [keras.Input((16,))]
        for _ in range(4):
            steps.append(keras.layers.Dense(16, kernel_initializer=keras.initializers.RandomNormal(stddev=1e-9)))
            steps += [keras.layers.BatchNormalization(epsilon=1e-30)] * normed
            steps.append(keras.layers.Dropout(0.1))
        return keras.Sequential([*steps, keras.layers.Dense(4)])

    return build


def of_linen(normed: bool) -> Callable[[], Any]:
    linen = pytest.importorskip("flax.linen")

    class Net(linen.Module):  # type: ignore[misc, name-defined]
        @linen.compact
        def __call__(self, x: Any, train: bool) -> Any:
            for _ in range(4):
                x = linen.Dense(16, kernel_init=linen.initializers.normal(1e-9))(x)
                if normed:
                    x = linen.BatchNorm(use_running_average=not train, epsilon=1e-30)(x)
                x = linen.Dropout(0.1, deterministic=not train)(x)
            return linen.Dense(4)(x)

    return Net


@pytest.mark.parametrize("network", [of_keras, of_linen], ids=lambda f: f.__name__)
@pytest.mark.parametrize("normed", [True, False])
def test_what_a_norm_brings_back_is_not_lost(network: Any, normed: bool) -> None:
    (found,) = check_model(network(normed), "8x16", claims=[CLAIM])
    assert (found.verdict is Verdict.HOLDS) is normed


@pytest.mark.parametrize("network", [of_keras, of_linen], ids=lambda f: f.__name__)
def test_a_norm_of_one_number_a_channel_keeps_its_own_moments(network: Any) -> None:
    """The variance of one number is zero: by the moments of such a batch nothing would be left of any input."""
    (found,) = check_model(network(True), "1x16", claims=[CLAIM])
    assert not any("norm" in failure.lower() for failure in [found.evidence.case or ""])


def test_a_norm_of_linen_that_takes_no_word_of_its_moments_is_run_as_it_is() -> None:
    linen = pytest.importorskip("flax.linen")

    class Own(linen.BatchNorm):  # type: ignore[misc, name-defined]
        def __call__(self, x: Any) -> Any:
            return super().__call__(x)

    class Net(linen.Module):  # type: ignore[misc, name-defined]
        @linen.compact
        def __call__(self, x: Any) -> Any:
            return linen.Dense(4)(Own(use_running_average=False)(linen.Dense(16)(x)))

    (found,) = check_model(Net, "8x16", claims=[CLAIM])
    assert found.verdict is Verdict.HOLDS
