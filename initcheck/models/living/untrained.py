"""Which arrays of a living model the first steps never move, and whether their layers ran and were above zero."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.living.autodiff import Autodiff
from initcheck.models.living.model import Living
from initcheck.models.signals.signal import Untrained
from initcheck.models.signals.untrained_layers import Heard, Left, closed, owner_of, sorted_out


def untrained(
    autodiff: Autodiff, living: Living, arrays: Sequence[Any], batch: ArrayBatch, left: Collection[int],
    noise: Mapping[int, float],
) -> Untrained:  # fmt: skip
    """Sort what had no gradient with one batch, by another batch and by what its layers made.

    Args:
        autodiff: of the library.
        living: takes the arrays.
        arrays: of its leaves, moved by the steps that open what starts at zero.
        batch: its arguments.
        left: numbers of the leaves that are trained and have no gradient with this batch.
        noise: number of a leaf -> up to what size its gradient is rounding alone.
    """
    real = [i for i, a in enumerate(arrays) if autodiff.is_real(a)]
    if left:
        found = autodiff.measure(living, arrays, batch.shuffled(), (), real, whole=True).gradients
        left = [i for i, g in zip(real, found, strict=True) if i in left and autodiff.largest(g) <= noise.get(i, 0.0)]
    if not left:
        return Untrained()
    owners = {owner_of(living.leaves[i].name) for i in left}
    layers = {layer.name for layer in living.layers}
    heard = {owner: Heard() for owner in owners if owner not in layers}  # the root, a list of arrays
    matrices = {owner_of(living.leaves[i].name): i for i in left if arrays[i].ndim > 1}

    def note(name: str, given: Any, made: Any) -> Any:
        array = autodiff.first_real(made)
        if array is None or autodiff.hides(array):
            heard[name] = Heard()
            return made
        numbers, units = autodiff.host(array), 1
        if name in matrices:
            units = _units(arrays[matrices[name]].shape, living.leaves[matrices[name]].inputs_first, numbers.shape)
        heard[name] = Heard(units, bool(np.any(numbers > 0)), bool(np.any(numbers < 0))).beside(heard.get(name))
        return made

    autodiff.run(living, arrays, batch, note, sorted(owners & layers))
    trained = [leaf.name for i, leaf in enumerate(living.leaves) if leaf.trainable and i in real]
    waiting: Left = {living.leaves[i].name: (tuple(arrays[i].shape), None) for i in left}
    turned = closed(waiting, trained, heard)
    opened: set[str] = set()
    if turned:
        own = {i for i in real if living.leaves[i].parameter and owner_of(living.leaves[i].name) in turned}
        other = [-a if i in own else a for i, a in enumerate(arrays)]
        gradients = autodiff.measure(living, other, batch, (), real, whole=True).gradients
        opened = {
            living.leaves[i].name
            for i, g in zip(real, gradients, strict=True)
            if autodiff.largest(g) > noise.get(i, 0.0)
        }
    return sorted_out(waiting, trained, heard, turned, opened & waiting.keys())


def _units(matrix: tuple[int, ...], inputs_first: bool, made: tuple[int, ...]) -> int:
    """The units of a layer, rather too few: a table has more rows, and a transposed kernel may have outputs first.

    >>> _units((50, 8), False, (4, 6, 8)), _units((3, 3, 1, 64), True, (4, 9, 9, 1))
    (8, 1)
    """
    if not inputs_first and len(matrix) > 2:
        return matrix[0]  # a kernel of Equinox, whose channels are not the last axis
    return min(matrix[-1] if inputs_first else matrix[0], made[-1] if made else 1)
