"""Does the input arrive? Two batches through a living model, and the layer in which their difference is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from initcheck.models.living.autodiff import Autodiff
from initcheck.models.living.model import Living
from initcheck.models.signals.array_batch import ArrayBatch
from initcheck.models.signals.signal import DROWNED, SAME, InputReach

__all__ = ["input_reach"]


def input_reach(autodiff: Autodiff, living: Living, arrays: Sequence[Any], batch: ArrayBatch) -> InputReach | None:
    """Run the model on a batch and on its entries in another order; None where the outputs cannot be compared."""
    other = batch.shuffled()
    try:
        one, two = (_output(autodiff, living, arrays, b) for b in (batch, other))
        if one is None or two is None or one.shape != two.shape or not one.size:
            return None
        share = _share(one, two)
        if share is None or share >= DROWNED:
            return None if share is None else InputReach(share)
        lost_in, zero = _where_lost(autodiff, living, arrays, batch, other)
        if lost_in is None:
            lost_in = _opened(autodiff, living, arrays, batch, other)
            zero = lost_in is not None
    except (TypeError, ValueError, IndexError, KeyError):
        return None
    return InputReach(share, lost_in, zero)


def _output(autodiff: Autodiff, living: Living, arrays: Sequence[Any], batch: ArrayBatch) -> Any:
    found = autodiff.first_real(autodiff.run(living, arrays, batch, None, ()))
    return None if found is None else np.asarray(autodiff.host(found), np.float64)


def _share(one: Any, two: Any) -> float | None:
    """The difference over the variation of the output, without what is constant in a channel."""
    both = np.stack([one, two])
    both = both - (both.mean(tuple(range(both.ndim - 1)), keepdims=True) if both.ndim > 3 else both.mean())
    spread = float(np.sqrt(np.square(both).mean()))
    difference = float(np.sqrt(np.square(one - two).mean()))
    if not spread:
        return 0.0 if difference == 0.0 else None
    return difference / (2**0.5 * spread)


def _where_lost(
    autodiff: Autodiff, living: Living, arrays: Sequence[Any], batch: ArrayBatch, other: ArrayBatch
) -> tuple[str | None, bool]:  # fmt: skip
    """The last layer in which a difference that came in did not come out, and whether its matrices are zero."""
    one, two = (_noted(autodiff, living, arrays, b) for b in (batch, other))
    lost: tuple[str | None, bool] = None, False
    for (name, given_a, made_a), (same, given_b, made_b) in zip(one, two, strict=False):
        if name != same or given_a is None or given_b is None:
            continue
        if _differ(given_a, given_b) and not _differ(made_a, made_b):
            inside = [
                a for leaf, a in zip(living.leaves, arrays, strict=True)
                if leaf.parameter and a.ndim > 1 and ".".join(leaf.path[:-1]) == name
            ]  # fmt: skip
            lost = name, bool(inside) and not any(np.any(autodiff.host(a) != 0) for a in inside)
    return lost


def _opened(
    autodiff: Autodiff, living: Living, arrays: Sequence[Any], batch: ArrayBatch, other: ArrayBatch
) -> str | None:
    """The first matrix of zeros, where the input arrives once such matrices are random: a map hides their layers."""
    closed = [
        i for i, (leaf, a) in enumerate(zip(living.leaves, arrays, strict=True))
        if leaf.parameter and a.ndim > 1 and not np.any(autodiff.host(a) != 0)
    ]  # fmt: skip
    if not closed:
        return None
    generator = np.random.default_rng(20260105)
    drawn = list(arrays)
    for i in closed:
        drawn[i] = arrays[i] + autodiff.addend(generator.standard_normal(tuple(arrays[i].shape)).astype(np.float32))
    share = _share(*(_output(autodiff, living, drawn, b) for b in (batch, other)))
    return ".".join(living.leaves[closed[0]].path[:-1]) if share is not None and share >= DROWNED else None


def _noted(autodiff: Autodiff, living: Living, arrays: Sequence[Any], batch: ArrayBatch) -> list[tuple[str, Any, Any]]:
    calls: list[tuple[str, Any, Any]] = []

    def note(name: str, given: Any, made: Any) -> Any:
        before, after = (next((a for a in autodiff.leaves(v) if hasattr(a, "dtype")), None) for v in (given, made))
        if after is not None and not autodiff.hides(after):
            calls.append((name, None if before is None else autodiff.host(before), autodiff.host(after)))
        return made

    autodiff.run(living, arrays, batch, note, [layer.name for layer in living.layers if layer.holds])
    return calls


def _differ(one: Any, two: Any) -> bool:
    if one.shape != two.shape:
        return True
    size = float(np.abs(one).max()) if one.size else 0.0
    return bool(one.size) and float(np.abs(one.astype(np.float64) - two.astype(np.float64)).max()) > SAME * size
