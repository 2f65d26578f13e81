"""The law that a weight of Keras is said to have is the one that it is drawn from, by the fans that its layer takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")

LAYERS: dict[str, Callable[[], tuple[Any, tuple[int, ...]]]] = {
    "dense": lambda: (keras.layers.Dense(64), (None, 48)),
    "convolution": lambda: (keras.layers.Conv2D(24, 3), (None, 8, 8, 16)),
    "heads": lambda: (keras.layers.EinsumDense("btd,dhk->bthk", output_shape=(None, 8, 12)), (None, 5, 96)),
    "out of heads": lambda: (keras.layers.EinsumDense("bthk,hkd->btd", output_shape=(None, 96)), (None, 5, 8, 12)),
    "he of heads": lambda: (
        keras.layers.EinsumDense("btd,dhk->bthk", output_shape=(None, 8, 12), kernel_initializer="he_normal"),
        (None, 5, 96),
    ),
}


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_the_law_of_a_kernel_has_the_variance_of_its_draws(make: Callable[[], tuple[Any, tuple[int, ...]]]) -> None:
    from initcheck.models.lineage.keras_weights import noted_weights

    with noted_weights() as found:
        layer, shape = make()
        layer.build(shape)
    law = found.laws[id(layer.kernel)]
    drawn = np.asarray(layer.kernel)
    assert law.std is not None
    # Six standard errors, and what a cut normal has less.
    assert float(drawn.std()) == pytest.approx(law.std, rel=6 / math.sqrt(2 * drawn.size))
