"""Differentiation through a living model whose arrays are TensorFlow's, as Keras' are on that backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from initcheck.models.living.autodiff import EagerAutodiff, weights_of_output


class TensorFlowAutodiff(EagerAutodiff):
    """Tensors of TensorFlow, run eagerly."""

    def leaves(self, value: Any) -> list[Any]:
        """What a nested value holds, in order."""
        return list(tf.nest.flatten(value))

    def is_real(self, array: Any) -> bool:
        """Whether this is a tensor of real numbers."""
        return bool(tf.is_tensor(array)) and bool(array.dtype.is_floating)

    def host(self, array: Any) -> npt.NDArray[Any]:
        """The tensor in the host's memory."""
        return np.asarray(array)

    def like(self, array: Any, value: Any) -> Any:
        """Of its dtype."""
        return tf.cast(tf.convert_to_tensor(value), array.dtype)

    def hides(self, array: Any) -> bool:
        """Whether the tensor is one of a graph, as within ``tf.function``."""
        return bool(tf.is_tensor(array)) and not hasattr(array, "numpy")

    def differentiated(
        self, run: Callable[[list[Any]], tuple[list[Any], list[Any]]], weights: list[Any]
    ) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
        """Call the function on a tape and differentiate its outputs' weighted sum."""
        own = [tf.identity(w) for w in weights]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(own)
            outputs, made = run(own)
            total = tf.add_n([tf.reduce_sum(tf.cast(o, tf.float32) * weights_of_output(o.shape)) for o in outputs])
        # An embedding's gradient comes as rows and their numbers; as a tensor it has every row.
        found = [
            tf.zeros_like(t) if g is None else tf.convert_to_tensor(g)
            for t, g in zip([*made, *own], tape.gradient(total, [*made, *own]), strict=True)
        ]
        return outputs, made, found[: len(made)], found[len(made) :]
