"""Which arrays of a living model the first steps never move, and whether their layers ran and were above zero."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.living.autodiff import Autodiff
from initcheck.models.living.model import Living
from initcheck.models.signals.signal import Untrained
from initcheck.models.signals.untrained_layers import sorted_out


def untrained(
    autodiff: Autodiff, living: Living, arrays: Sequence[Any], batch: ArrayBatch, left: Collection[int]
) -> Untrained:  # fmt: skip
    """Sort what had no gradient with one batch, by another batch and by what its layers made.

    Args:
        autodiff: of the library.
        living: takes the arrays.
        arrays: of its leaves, moved by the steps that open what starts at zero.
        batch: its arguments.
        left: numbers of the leaves that are trained and have no gradient with this batch.
    """
    real = [i for i, a in enumerate(arrays) if autodiff.is_real(a)]
    if left:
        found = autodiff.measure(living, arrays, batch.shuffled(), (), real, whole=True).gradients
        left = [i for i, g in zip(real, found, strict=True) if i in left and not np.any(autodiff.host(g) != 0)]
    if not left:
        return Untrained()
    owners = {".".join(living.leaves[i].path[:-1]) for i in left}
    layers = {layer.name for layer in living.layers}
    heard = {owner: (True, 1) for owner in owners if owner not in layers}  # the root, a list of arrays

    def note(name: str, given: Any, made: Any) -> Any:
        array = autodiff.first_real(made)
        above = array is None or autodiff.hides(array) or bool(np.any(autodiff.host(array) > 0))
        heard[name] = (above or heard.get(name, (False, 1))[0], units.get(name, 1))
        return made

    units: dict[str, int] = {}
    for i in left:
        leaf, shape = living.leaves[i], arrays[i].shape
        if len(shape) > 1:
            units[".".join(leaf.path[:-1])] = shape[-1] if leaf.inputs_first else shape[0]
    autodiff.run(living, arrays, batch, note, sorted(owners & layers))
    trained = [leaf.name for i, leaf in enumerate(living.leaves) if leaf.trainable and i in real]
    return sorted_out({living.leaves[i].name: (tuple(arrays[i].shape), None) for i in left}, trained, heard)
