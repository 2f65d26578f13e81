"""The first loss of a model: cross-entropy over uniform targets, where its last dimension counts classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.models.signals.live_model import LiveModel

_FILL = -1e4
"""What masks fill in, or less: as much as half precision holds, a billion, the least number there is."""


def first_loss(
    model: LiveModel, output: npt.NDArray[Any]
) -> tuple[float, int, float] | tuple[None, None, None]:  # fmt: skip
    """Loss, number of classes, and root mean square of the logits; nothing where no head or table has these classes.

    The loss is its mean over all targets: with one drawn for each of two images it is mostly chance. A class that the
    model masks everywhere, as the tokens that pad a vocabulary, is no target and is not counted.

    Args:
        model: tells what its heads count.
        output: what it put out, in the host's memory.
    """
    classes = output.shape[-1] if output.ndim else 0
    if classes < 2 or classes not in model.classes(output.ndim):
        return None, None, None
    logits = output.reshape(-1, classes).astype(np.float64)
    if np.all(logits >= 0) and np.allclose(logits.sum(-1), 1, atol=1e-3):  # a softmax is part of the model
        logits = np.log(np.maximum(logits, np.finfo(np.float32).tiny))
    logits = logits[:, ~_masked(logits)]
    if logits.shape[1] < 2:
        return None, None, None
    top = logits.max(-1, keepdims=True)
    logs = logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))
    spread = logits - logits.mean(-1, keepdims=True)
    return float(-logs.mean()), logits.shape[1], float(np.sqrt(np.square(spread).mean()))


def _masked(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Classes whose logit is one number for every input, the least of all and no weights' doing."""
    least = float(logits.min(initial=0.0))
    masked: npt.NDArray[np.bool_] = np.all(logits == min(least, _FILL), axis=0)
    return masked
