"""Does the input arrive? Two batches through a living model, and the layer in which their difference is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.living.autodiff import Autodiff
from initcheck.models.living.model import Living
from initcheck.models.signals.signal import CLOSED, DROWNED, FADED, SAME, STEPS, InputReach


def input_reach(autodiff: Autodiff, living: Living, arrays: Sequence[Any], batch: ArrayBatch) -> InputReach | None:
    """Run the model on a batch and on its entries in another order; None where the outputs cannot be compared."""
    try:
        other = batch.shuffled()
        if all(map(np.array_equal, batch.arrays, other.arrays)):
            return None
        one, two = (autodiff.output(living, arrays, b) for b in (batch, other))
        if one is None or two is None or one.shape != two.shape or not one.size:
            return None
        share = _share(one, two)
        if share is None or share >= DROWNED:
            return None if share is None else InputReach(share)
        lost = _where_lost(autodiff, living, arrays, batch, other, InputReach(share))
        return replace(lost, closed=_closed(autodiff, living, arrays, batch, other, lost))
    except (RuntimeError, TypeError, ValueError, IndexError, KeyError):
        return None


def _share(one: Any, two: Any) -> float | None:
    """The difference over the variation of the output, without what is constant in a channel."""
    both = np.stack([one, two])
    both = both - (both.mean(tuple(range(both.ndim - 1)), keepdims=True) if both.ndim > 3 else both.mean())
    spread = float(np.sqrt(np.square(both).mean()))
    difference = float(np.sqrt(np.square(one - two).mean()))
    if not spread:
        return 0.0 if difference == 0.0 else None
    return difference / (2**0.5 * spread)


def _pair_share(one: Any, two: Any) -> float:
    if one.shape != two.shape or not one.size:
        return 1.0
    share = _share(one.astype(np.float64), two.astype(np.float64))
    return 1.0 if share is None else share


def _where_lost(
    autodiff: Autodiff, living: Living, arrays: Sequence[Any], batch: ArrayBatch, other: ArrayBatch, found: InputReach
) -> InputReach:  # fmt: skip
    """The last layer in which, or behind which, a difference that came in is no more; where it was drowned at once."""
    one, two = (_noted(autodiff, living, arrays, b) for b in (batch, other))
    least, behind = 1.0, ""
    for (name, given_a, made_a), (same, given_b, made_b) in zip(one, two, strict=False):
        if name != same or given_a is None or given_b is None:
            continue
        arrives = _differ(made_a, made_b)
        given, clearly = _differ(given_a, given_b), _differ(given_a, given_b, FADED * SAME)
        found = found.through(name, behind, given=given, clearly=clearly, made=arrives)
        before, after = _pair_share(given_a, given_b), _pair_share(made_a, made_b)
        found = found.drowned_before(name, before, least)
        least = min([least, *(share for share in (before, after) if share > 0)])
        behind = name if arrives and not np.any(made_a > 0) else ""
    return found


def _closed(
    autodiff: Autodiff, living: Living, arrays: Sequence[Any], batch: ArrayBatch, other: ArrayBatch, lost: InputReach
) -> str | None:  # fmt: skip
    """The first constant near zero, where the input arrives once such constants are random.

    Of those alone that the first steps move: what gets no gradient, as before a ReLU that is dead, is no gate. Vectors
    of the layer that swallows all of its input stay: a norm of zeros is no gate that a stream passes by.
    """
    generator = np.random.default_rng(20260105)
    opened, gates = list(arrays), []
    trained = [i for i, leaf in enumerate(living.leaves) if leaf.trainable and autodiff.is_real(arrays[i])]
    for _ in range(STEPS):
        gradients = autodiff.measure(living, opened, batch, (), trained).gradients
        for i, gradient in zip(trained, gradients, strict=True):
            leaf, values = living.leaves[i], np.asarray(autodiff.host(opened[i]))
            within = ".".join(leaf.path[:-1]) == lost.lost_in and values.ndim < 2
            if within or not values.size or np.ptp(values) != 0 or abs(float(values.flat[0])) >= CLOSED:
                continue
            if np.any(autodiff.host(gradient) != 0):
                numbers = 0.1 * generator.standard_normal(values.shape)
                opened[i] = opened[i] + autodiff.addend(numbers.astype(values.dtype))
                gates.append(leaf.name)
        one, two = (autodiff.output(living, opened, b) for b in (batch, other))
        if gates and lost.opened_by(_share(one, two)):
            return gates[0]
    return None


def _noted(autodiff: Autodiff, living: Living, arrays: Sequence[Any], batch: ArrayBatch) -> list[tuple[str, Any, Any]]:
    calls: list[tuple[str, Any, Any]] = []

    def note(name: str, given: Any, made: Any) -> Any:
        before, after = (next((a for a in autodiff.leaves(v) if hasattr(a, "dtype")), None) for v in (given, made))
        if after is not None and not autodiff.hides(after):
            calls.append((name, None if before is None else autodiff.host(before), autodiff.host(after)))
        return made

    holding = [layer.path for layer in living.layers if layer.holds]
    outer = {path[:n] for path in holding for n in range(len(path))}
    autodiff.run(living, arrays, batch, note, [".".join(path) for path in holding if path not in outer])
    return calls


def _differ(one: Any, two: Any, least: float = SAME) -> bool:
    if one.shape != two.shape:
        return True
    size = float(np.abs(one).max()) if one.size else 0.0
    return bool(one.size) and float(np.abs(one.astype(np.float64) - two.astype(np.float64)).max()) > least * size
