"""Which parameters the first steps never move, and what keeps the gradient from them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.models.batches.batch_text import CallArguments
from initcheck.models.signals.live_model import UNABLE, LiveModel, constants_redrawn
from initcheck.models.signals.one_choice import one_choices
from initcheck.models.signals.signal import CLOSED, STEPS, Untrained
from initcheck.models.signals.untrained_layers import Heard, closed, faint, is_matrix, owner_of, rounding, sorted_out


def untrained(model: LiveModel, batch: CallArguments) -> Untrained | None:
    """Differentiate all that the model returns by all that is trained; None where nothing can be differentiated.

    What starts near zero and gets a gradient is opened as the first steps open it, and another batch is asked too, so
    that an expert which one batch does not choose is none of these. A gradient that only rounding makes, such as that
    of a router whose one weight is divided by itself, is none.
    """
    try:
        outside = model.outside(batch)
    except UNABLE:
        return None
    if not model.trained:
        return Untrained(outside=outside, frozen=bool(model.values))
    try:
        found = _waiting(model, batch)
    except UNABLE:
        found = None
    chosen = one_choices(model, batch)
    return replace(found or Untrained(), outside=outside, chosen=chosen) if found or outside or chosen else None


def _waiting(model: LiveModel, batch: CallArguments) -> Untrained | None:
    """The parameters without a gradient, sorted by what they wait for; None where nothing can be differentiated."""
    sizes = model.sizes(batch, model.trained)
    if not sizes:
        return None
    noise = _rounding(model, batch, sizes)
    left = _none(sizes, noise)
    # Not the bias of a layer whose matrix has one, such as that of keys.
    moved = {owner_of(n) for n in sizes if n not in left}
    left = {n: part for n, part in left.items() if is_matrix(n, model.trained[n]) or owner_of(n) not in moved}
    with ExitStack() as opened:
        for _ in range(STEPS):
            if not left:
                break
            model, _names = opened.enter_context(constants_redrawn(model, below=CLOSED, but=left))
            left = _none(model.sizes(batch, left), noise)
        if left:
            left = _none(model.sizes(batch.shuffled(), left), noise)
        training = model.in_training() if left else None
        if training is not None:
            with suppress(Exception), training:  # of the user's model: anything
                found = model.sizes(batch, left)
                left = _none(found, noise) if found else left
        wider = batch.larger() if left else None
        if wider is not None:
            # What a stage makes of one place, such as the mean of its neighbours less itself, may be nothing.
            with suppress(Exception):  # a model that takes images of one size
                left = _none(model.sizes(wider, left), noise)
        if not left:
            return Untrained()
        heard = _heard(model, batch)
        shapes = {n: (model.trained[n], part if model.knows_parts else None) for n, part in left.items()}
        turned = closed(shapes, model.trained, heard)
        with model.changed((n, -a) for n, a in model.values.items() if owner_of(n) in turned) as other:
            still = _none(other.sizes(batch, left), noise) if turned else left
        return sorted_out(shapes, model.trained, heard, turned, left.keys() - still.keys())


def _rounding(model: LiveModel, batch: CallArguments, sizes: Mapping[str, float | None]) -> dict[str, float]:
    """Which gradients rounding alone makes, as double precision tells; none where the model cannot run so."""
    doubtful = {n: sizes[n] or 0.0 for n in faint(sizes, model.trained)}
    found: dict[str, float] = {}
    with suppress(Exception):  # a model that is none in double precision, whatever it raises: then nothing is said
        found = model.sizes_in_double(batch, doubtful) if doubtful else {}
    return rounding(doubtful, found) if found else {}


def _none(sizes: Mapping[str, float | None], noise: Mapping[str, float]) -> dict[str, bool]:
    """Those without a gradient, and whether they have a part in what is returned."""
    return {n: size is not None for n, size in sizes.items() if size is None or size <= noise.get(n, 0.0)}


def _heard(model: LiveModel, batch: CallArguments) -> dict[str, Heard]:
    """Which layers with parameters of their own ran, and what they made."""
    # What is never called, such as a list of parameters, is not said to be unused.
    heard = dict.fromkeys({owner_of(n) for n in model.values} - set(model.parts), Heard())

    def note(name: str, given: npt.NDArray[Any] | None, made: npt.NDArray[Any] | None) -> None:
        if made is None or not made.size:
            heard[name] = Heard()
            return
        levels = given is not None and _differ(given) and not _differ(made)
        now = Heard(model.units(name, made.shape), bool(np.any(made > 0)), bool(np.any(made < 0)), levels)
        heard[name] = now.beside(heard.get(name))

    model.listen(batch, model.layers, note)
    return heard


def _differ(examples: npt.NDArray[Any]) -> bool:
    return examples.ndim > 1 and bool(np.any(examples != examples[:1]))
