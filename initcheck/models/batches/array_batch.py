"""A batch of NumPy arrays for a model outside of torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from initcheck.models.batches.batch_text import CallArguments, Part, changed, graph, is_graph

_SEED = 20260102


class ArrayBatch(CallArguments):
    """A batch of NumPy's arrays.

    >>> ArrayBatch.read("int<100:2x16").args[0].shape
    (2, 16)
    """

    @classmethod
    def filled(cls, part: Part) -> Any:
        """One argument."""
        generator = np.random.default_rng(_SEED)
        if part.all_of is not None:
            return np.full(part.shape, part.all_of, np.int32)
        if part.high:
            return np.asarray(generator.integers(0, part.high, part.shape, dtype=np.int32))
        if part.ones:
            return np.ones(part.shape, np.float32)
        if part.graph:
            return graph(part.shape)
        return np.asarray(generator.standard_normal(part.shape, dtype=np.float32))

    def shuffled(self) -> ArrayBatch:
        """Another batch of the same kind: the entries of every array in another order.

        A vector is also turned over within its range: a sum over one example's tokens sees no order, and two entries
        in another order may be the same.
        """
        generator = np.random.default_rng(_SEED + 1)

        def other(_: str, value: Any) -> Any:
            array = np.asarray(value)
            if array.size < 2 or is_graph(array):
                return value
            mixed = generator.permutation(array.reshape(-1)).reshape(array.shape)
            if array.dtype != bool and (array.ndim < 2 or np.array_equal(mixed, array)):
                turned = mixed.min() + mixed.max() - mixed
                # Sums of real numbers round: two that changed places come back with other last bits.
                rounding = 1e-4 * float(mixed.max() - mixed.min())
                mixed = mixed if np.allclose(turned, array, rtol=0.0, atol=rounding) else turned
            if array.ndim < 3 or array.dtype.kind != "f":
                return mixed
            # Images of noise have one mean; each gets a colour.
            colour = generator.standard_normal((*array.shape[:1], *(1,) * (array.ndim - 2), array.shape[-1]))
            return (mixed / 2 + colour * array.std()).astype(array.dtype)

        return ArrayBatch(changed(self.args, other), changed(dict(self.kwargs), other), self.text)
