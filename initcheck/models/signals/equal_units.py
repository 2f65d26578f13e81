"""What the gradient says of units that start equal: at once, and after the first steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.models.batches.batch_text import CallArguments
from initcheck.models.builds.sums import Twins
from initcheck.models.signals.live_model import LiveModel, constants_redrawn, without_gradient
from initcheck.models.signals.signal import CLOSED, STEPS

_EQUAL = 1e-5
"""Equal units may be summed in another order: relative to the largest gradient, rounding is no difference."""


def gradient_kind(gradient: npt.NDArray[Any] | None) -> str:
    """Whether a gradient tells the units of a constant matrix apart: ``zero``, ``rows``, ``columns``, ``differ``.

    >>> gradient_kind(np.ones((3, 4))), gradient_kind(np.eye(3))
    ('rows', 'differ')
    """
    if gradient is None or not np.any(gradient != 0):
        return "zero"
    sizes = [n for n in gradient.shape if n > 1]
    matrix = gradient.reshape(sizes[0], -1).astype(np.float64)
    scale = float(np.abs(matrix).max())
    if float(np.abs(matrix - matrix[:1]).max()) <= _EQUAL * scale:
        return "rows"
    if float(np.abs(matrix - matrix[:, :1]).max()) <= _EQUAL * scale:
        return "columns"
    return "differ"


def twins_kind(gradient: npt.NDArray[Any] | None, twins: Twins) -> str:
    """Whether a gradient tells equal units apart: ``equal`` where it leaves one pair equal, ``differ``, ``zero``."""
    if gradient is None:
        return "zero"
    matrix = gradient.reshape(gradient.shape[0], -1).astype(np.float64)
    scale = float(np.abs(matrix).max())
    found = set()
    for i, j in twins.pairs:
        one, two = matrix.take(i, twins.axis), matrix.take(j, twins.axis)
        if max(float(np.abs(one).max()), float(np.abs(two).max())) <= _EQUAL * scale:
            found.add("zero")
        else:
            found.add("equal" if float(np.abs(one - two).max()) <= _EQUAL * scale else "differ")
    return next((kind for kind in ("equal", "differ") if kind in found), "zero")


def after_steps(model: LiveModel, batch: CallArguments, judged: Mapping[str, str]) -> dict[str, str]:
    """Take small steps: behind a zero layer a gradient is zero at first and comes with the next step.

    A layer that is dead, or whose units are tied, stays so for ever. Of matrices without a gradient those are not
    reached that have none either where every constant parameter is random: zeros that shut a layer off are dead by
    their values; what this batch does not use (a window that is longer than its tokens, a branch for images) is not.
    Where it comes with these and not with those near zero alone, another constant shuts it off, as a bias before a
    ReLU does that is far below zero.

    Args:
        model: its parameters are moved.
        batch: goes through it.
        judged: constant matrices, and what ``gradient_kind`` says of each.
    """
    tied = [n for n, kind in judged.items() if kind != "differ"]
    if not tied:
        return dict(judged)
    with ExitStack() as moved:
        for _ in range(STEPS):
            gradients = model.gradients(batch, model.trained)
            model = moved.enter_context(model.changed(_stepped(model, gradients), back=False))
            del gradients
        found = model.gradients(batch, tied)
        later = {n: gradient_kind(None if g is None else model.host(g)) for n, g in found.items()}
        judged = {n: "later" if n in tied and later.get(n) == "differ" else kind for n, kind in judged.items()}
        dead = [n for n, kind in judged.items() if kind == "zero"]
        for below, said in ((CLOSED, "shut"), (math.inf, "unreached")):
            if dead:
                with constants_redrawn(model, below) as (redrawn, _):
                    dead = list(without_gradient(redrawn, batch, dead))
                judged |= dict.fromkeys(dead, said)
    return judged


def _stepped(model: LiveModel, gradients: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    values = model.values
    for name, gradient in gradients.items():
        size = 0.0 if gradient is None else model.second_moment(gradient) ** 0.5
        if size > 0:
            yield name, values[name] - (0.01 / size) * gradient
