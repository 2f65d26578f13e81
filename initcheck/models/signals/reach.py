"""Does the input arrive? Two batches that differ in every entry, and where the difference is lost."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.models.batches.batch_text import CallArguments
from initcheck.models.signals.live_model import UNABLE, LiveModel, constants_redrawn, without_gradient
from initcheck.models.signals.signal import CLOSED, DROWNED, FADED, SAME, STEPS, InputReach
from initcheck.models.signals.untrained_layers import is_matrix, owner_of

_Array = npt.NDArray[Any]
_STEP = 1e-3
"""So far every entry of a matrix moves, in root mean square."""


def input_reach(model: LiveModel, batch: CallArguments) -> InputReach | None:
    """Run the model on a batch and on its entries in another order; None where the outputs cannot be compared."""
    try:
        other = batch.shuffled()
        if all(np.array_equal(model.host(a), model.host(b)) for a, b in zip(batch.arrays, other.arrays, strict=True)):
            return None
        share = _share(model, model.output(batch), model.output(other))
        if share is None or share >= DROWNED:
            return None if share is None else InputReach(share)
        lost = _where_lost(model, batch, other, InputReach(share))
        lost = _closed(model, batch, other, lost)
        if lost.exact and lost.closed is None and _ends_in_a_choice(model, batch, other):
            return replace(lost, chosen=True)
        untold = lost.exact and lost.closed is None and lost.lost_in is None and lost.lost_behind is None
        return replace(lost, stuck=_stuck(model, batch, other, lost)) if untold else lost
    except UNABLE:
        return None


def _closed(model: LiveModel, batch: CallArguments, other: CallArguments, lost: InputReach) -> InputReach:
    """The first constant near zero, where the input arrives once such constants are random.

    Where it is drowned then, before what is open now, it never arrived: a head of zeros only hides that.

    Of those alone that the first steps move: what gets no gradient, as before a ReLU that is dead, is no gate. Vectors
    of the layer that swallows all of its input stay: a norm of zeros is no gate that a stream passes by. Those of a
    module that holds layers may be one.
    """
    alone = lost.lost_in is not None and not any(p.startswith(f"{lost.lost_in}.") for p in model.parts)
    vectors = {n for n, shape in model.trained.items() if alone and owner_of(n) == lost.lost_in and len(shape) < 2}
    gates: list[str] = []
    with ExitStack() as opened:
        for _ in range(STEPS):
            unmoved = without_gradient(model, batch, model.trained)
            model, names = opened.enter_context(constants_redrawn(model, below=CLOSED, but=vectors | unmoved))
            gates += names
            share = _share(model, model.output(batch), model.output(other)) if gates else None
            if share is not None and lost.opened_by(share):
                hidden = lost.exact and share < DROWNED
                behind = _where_lost(model, batch, other, InputReach(share)) if hidden else lost
                return behind if hidden and behind.drowned_at is not None else replace(lost, closed=gates[0])
    return lost


def _ends_in_a_choice(model: LiveModel, batch: CallArguments, other: CallArguments) -> bool:
    """Whether matrices that the difference came through have a gradient, and a step along it does not move the output.

    Of a codebook, or where something is rounded, the gradient of what was chosen is handed to what it was chosen for.
    The sum whose gradient it is would move by the step times the gradient, and by no more than the sum of the output's
    own moves where its weights are of size 1.
    """
    pairs = zip(_noted(model, batch), _noted(model, other), strict=False)
    through = {name for (name, _, one), (same, _, two) in pairs if name == same and _differ(one, two, FADED * SAME)}
    names = [n for n, shape in model.trained.items() if is_matrix(n, shape) and owner_of(n) in through]
    gradients = model.gradients(batch, names) if names else {}
    told = {n: g for n, g in gradients.items() if g is not None and 0 < model.largest(g) < np.inf}
    if not told:
        return False
    sizes = {n: model.second_moment(g) ** 0.5 for n, g in told.items()}
    before = model.output(batch)
    values = model.values
    moved = [(n, values[n] - (_STEP / sizes[n]) * g) for n, g in told.items()]
    with model.changed(moved) as stepped:
        after = stepped.output(batch)
    if before is None or after is None:
        return False
    due = sum(_STEP * sizes[n] * np.prod(model.trained[n]) for n in told)
    return bool(due > 10 * np.abs(after.astype(np.float64) - before).sum())


def _stuck(model: LiveModel, batch: CallArguments, other: CallArguments, lost: InputReach) -> tuple[str, ...]:
    """Constants near zero that make one output of all, where nothing but their values opens the way: zero by zero."""
    with constants_redrawn(model, below=CLOSED) as (redrawn, names):
        share = _share(redrawn, redrawn.output(batch), redrawn.output(other))
    return names if lost.opened_by(share) else ()


def _share(model: LiveModel, one: _Array | None, two: _Array | None) -> float | None:
    """The difference over the variation of the output, without what is constant in a channel."""
    if one is None or two is None or one.shape != two.shape or not one.size:
        return None
    both = np.stack([one, two]).astype(np.float64)
    if both.ndim > 3:
        channel = 2 if model.channels_first and both.ndim > 4 else both.ndim - 1
        both = both - both.mean(tuple(a for a in range(both.ndim) if a != channel), keepdims=True)
    else:
        both = both - both.mean()
    spread = float(np.sqrt(np.square(both).mean()))
    difference = float(np.sqrt(np.square(both[0] - both[1]).mean()))
    if not spread:
        return 0.0 if difference == 0.0 else None
    return difference / (2**0.5 * spread)


def _where_lost(model: LiveModel, batch: CallArguments, other: CallArguments, found: InputReach) -> InputReach:
    """The last layer in which, or behind which, a difference that came in is no more; where it was drowned at once."""
    least, last, behind = 1.0, 0, ""
    pairs = zip(_noted(model, batch), _noted(model, other), strict=False)
    for (name, given_a, made_a), (same, given_b, made_b) in pairs:
        if name != same:
            continue
        arrives = _differ(made_a, made_b)
        if given_a is not None and given_b is not None:
            given, clearly = _differ(given_a, given_b), _differ(given_a, given_b, FADED * SAME)
            found = found.through(name, behind, given=given, clearly=clearly, made=arrives)
            share = _share(model, given_a, given_b)
            share = 1.0 if share is None else share
            if given_a.size >= last:  # a part of it, such as a class token, may tell less by design
                found = found.drowned_before(name, share, least)
            least = min(least, share) if share > 0 else least
        last, behind = made_a.size, name if arrives and not np.any(made_a > 0) else ""
        share = _share(model, made_a, made_b)
        least = min(least, share) if share else least
    return found


def _noted(model: LiveModel, batch: CallArguments) -> list[tuple[str, _Array | None, _Array]]:
    calls: list[tuple[str, _Array | None, _Array]] = []

    def note(name: str, given: _Array | None, made: _Array | None) -> None:
        if made is not None and name:
            calls.append((name, given, made))

    model.listen(batch, model.layers, note)
    return calls


def _differ(one: _Array, two: _Array, least: float = SAME) -> bool:
    if one.shape != two.shape:
        return True
    size = float(np.abs(one).max()) if one.size else 0.0
    return bool(one.size) and float(np.abs(one.astype(np.float64) - two.astype(np.float64)).max()) > least * size
