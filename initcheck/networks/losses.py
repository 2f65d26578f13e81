"""The losses of the reference networks: each returns its value and its gradient at the outputs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Loss = Callable[[Array, Array], tuple[float, Array]]


def squared_error(output: Array, target: Array) -> tuple[float, Array]:
    """Half the squared distance to the target, averaged over the batch, and its gradient at the outputs.

    >>> value, gradient = squared_error(np.array([[3.0, 0.0]]), np.array([[1.0, 0.0]]))
    >>> value, gradient.tolist()
    (2.0, [[2.0, 0.0]])

    Args:
        output: shape (batch, outputs); of many networks (networks, batch, outputs), whose values are summed.
        target: shape (batch, outputs).
    """
    residual, batch = output - target, output.shape[-2]
    return 0.5 * float(np.sum(residual * residual)) / batch, residual / batch


def softmax_cross_entropy(output: Array, target: Array) -> tuple[float, Array]:
    """Cross-entropy of softmax(output) against class probabilities, the batch's mean, and its gradient.

    >>> value, gradient = softmax_cross_entropy(np.zeros((1, 2)), np.array([[1.0, 0.0]]))
    >>> round(value, 6), gradient.tolist()
    (0.693147, [[-0.5, 0.5]])

    Args:
        output: logits, shape (batch, classes).
        target: probabilities, rows that sum to 1, the same shape; one-hot for labels.
    """
    shifted = output - output.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=1, keepdims=True)
    value = -float(np.sum(target * (shifted - np.log(total)))) / len(output)
    return value, (exponentials / total - target) / len(output)


LOSSES: dict[str, Loss] = {"squared_error": squared_error, "softmax_cross_entropy": softmax_cross_entropy}
