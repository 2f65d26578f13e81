"""A scan takes layers of Keras that a user wrote, and not one that trains as it is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from initcheck.targets.loading import load

pytest.importorskip("keras")

LAYERS = """
import keras
from keras import ops


@keras.saving.register_keras_serializable()
class Sound(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="he_normal", name="kernel")

    def call(self, x):
        return ops.matmul(x, self.kernel)


class Restored(Sound):
    def build(self, input_shape):
        super().build(input_shape)
        keras.saving.load_model("weights.keras")


class Trained(Sound):
    def build(self, input_shape):
        super().build(input_shape)
        keras.Sequential([self]).fit(ops.ones((1, 2)), ops.ones((1, 2)))
"""


def test_layers_of_keras_are_taken_from_a_file_and_those_that_do_more_are_not(tmp_path: Path) -> None:
    (tmp_path / "layers_of_mine.py").write_text(LAYERS)
    loaded = load(str(tmp_path / "layers_of_mine.py"))
    assert {one.name.rpartition(":")[2] for one in loaded.initializers} == {"Sound"}
    left = {one.name.rpartition(":")[2]: one.reason for one in loaded.not_checked}
    assert "saving.load_model" in left["Restored"].replace("saving_api", "saving")
    assert "fit" in left["Trained"]
