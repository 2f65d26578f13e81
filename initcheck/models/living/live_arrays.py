"""A model outside of torch as the signal is measured through it: what takes arrays, and the arrays of one build."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy.typing as npt

from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.living.autodiff import ArraysMeasured, Autodiff
from initcheck.models.living.model import Living
from initcheck.models.living.visits import blocks_of
from initcheck.models.signals.chains import norms_between
from initcheck.models.signals.live_model import LiveModel, Measured, Note
from initcheck.models.signals.signal import HEAD, ChainSignal
from initcheck.models.signals.untrained_layers import faint, is_matrix, owner_of


class LiveArrays(LiveModel):
    """One build; another with other arrays is made where values are changed.

    Args:
        autodiff: of the library, one for the builds of a factory.
        living: takes the arrays.
        arrays: of its leaves.
    """

    def __init__(self, autodiff: Autodiff, living: Living, arrays: Sequence[Any]) -> None:
        self._autodiff, self._living, self._arrays = autodiff, living, list(arrays)
        self._real = [i for i, a in enumerate(arrays) if autodiff.is_real(a)]
        self._measured: dict[bool, tuple[ArrayBatch, ArraysMeasured]] = {}

    @property
    def values(self) -> Mapping[str, Any]:
        """The parameters of real numbers."""
        leaves = self._living.leaves
        return {leaves[i].name: self._arrays[i] for i in self._real if leaves[i].parameter or leaves[i].trainable}

    @cached_property
    def trained(self) -> Mapping[str, tuple[int, ...]]:
        """Name of a leaf that is trained and has entries -> its shape."""
        of = {self._living.leaves[i]: tuple(self._arrays[i].shape) for i in self._real}
        return {leaf.name: shape for leaf, shape in of.items() if leaf.trainable and 0 not in shape}

    @property
    def parts(self) -> set[str]:
        """The paths of all layers."""
        return {layer.name for layer in self._living.layers}

    @cached_property
    def layers(self) -> Sequence[str]:
        """The layers that hold parameters of their own."""
        owners = {owner_of(leaf.name) for leaf in self._living.leaves if leaf.parameter}
        return [layer.name for layer in self._living.layers if layer.name in owners]

    def host(self, array: Any) -> npt.NDArray[Any]:
        """The array in the host's memory."""
        return self._autodiff.host(array)

    def batches(self, refused: list[tuple[ArrayBatch, Exception]]) -> Iterator[ArrayBatch]:
        """Those that its inputs or its first layer take."""
        shapes = {leaf.name: tuple(a.shape) for leaf, a in zip(self._living.leaves, self._arrays, strict=True)}
        return map(ArrayBatch.read, self._living.candidates(shapes))

    def measure(self, batch: ArrayBatch, names: Collection[str]) -> Measured:
        """Run the model forward and backward once; the first model of a factory tells which layers are blocks."""
        blocks = self._autodiff.blocks
        if blocks is None or blocks.batch is not batch:
            blocks = self._autodiff.blocks = blocks_of(self._autodiff, self._living, self._arrays, batch)
        if not blocks.puts_out:
            return Measured()
        found = self._run(batch)
        chains = []
        for run in blocks.runs:
            ahead, back = (tuple(of[v.name] for v in run) for of in (found.forward, found.backward))
            names_of_run = tuple(v.name for v in run)
            backward = back if any(back) else ()
            chains.append(ChainSignal(run[0].container, names_of_run, ahead, backward, norms_between(run)))
        return Measured(tuple(chains), found.output, self.gradients(batch, names), blocks.unheard)

    def _run(self, batch: ArrayBatch, *, whole: bool = False) -> ArraysMeasured:
        """What was measured with the batch; always the same layers and arrays, so that one function is compiled."""
        known = self._measured.get(whole)
        if known is None or known[0] is not batch:
            blocks = self._autodiff.blocks
            heard = [v.name for run in blocks.runs for v in run] if blocks is not None and not whole else []
            living = blocks.living if blocks is not None and heard else self._living
            found = self._autodiff.measure(living, self._arrays, batch, heard, whole=whole)
            known = self._measured[whole] = batch, found
        return known[1]

    def output(self, batch: ArrayBatch) -> npt.NDArray[Any] | None:
        """The first array of real numbers that a run puts out."""
        return self._autodiff.output(self._living, self._arrays, batch)

    def listen(self, batch: Any, layers: Collection[str], note: Note) -> None:
        """Run the model and tell what these of its layers were given and made; nothing of what is hidden."""

        def tap(name: str, given: Any, made: Any) -> Any:
            note(name, *(self._numbers(self._autodiff.first_real(value)) for value in (given, made)))
            return made

        self._autodiff.run(self._living, self._arrays, batch, tap, layers)

    def _numbers(self, array: Any) -> npt.NDArray[Any] | None:
        return None if array is None or self._autodiff.hides(array) else self._autodiff.host(array)

    def gradients(self, batch: Any, names: Collection[str], *, whole: bool = False) -> dict[str, Any]:
        """The gradients, by some parameters, of a weighted sum of what is put out: zeros where there is none."""
        by_name = self._by_name(self._run(batch, whole=whole).gradients)
        return {n: by_name[n] for n in names}

    def _by_name(self, gradients: Sequence[Any]) -> dict[str, Any]:
        return {self._living.leaves[i].name: gradient for i, gradient in zip(self._real, gradients, strict=True)}

    def sizes(self, batch: Any, names: Collection[str]) -> dict[str, float | None]:
        """The largest entry of the gradient of all that is put out; of the first array alone where that tells all."""
        first = {n: self.largest(g) for n, g in self.gradients(batch, self.trained).items()}
        doubtful = {n for n, size in first.items() if size == 0.0} | set(faint(first, self.trained))
        moved = {owner_of(n) for n in first if n not in doubtful}
        told = all(owner_of(n) in moved and not is_matrix(n, self.trained[n]) for n in doubtful & set(names))
        return {n: first[n] for n in names} if told else super().sizes(batch, names)

    def sizes_in_double(self, batch: ArrayBatch, names: Collection[str]) -> dict[str, float]:
        """Of the arrays widened, where the library can."""
        found = self._autodiff.in_double(self._living, self._arrays, batch)
        by_name = self._by_name(found) if found is not None else {}
        return {n: self.largest(g) for n, g in by_name.items() if n in names}

    @contextmanager
    def changed(self, values: Iterable[tuple[str, Any]], *, back: bool = True) -> Iterator[LiveArrays]:
        """The same model with other arrays."""
        numbers = {leaf.name: i for i, leaf in enumerate(self._living.leaves)}
        arrays = list(self._arrays)
        for name, value in values:
            arrays[numbers[name]] = self._autodiff.like(arrays[numbers[name]], value)
        yield LiveArrays(self._autodiff, self._living, arrays)

    def classes(self, dimensions: int) -> set[int]:
        """Of its heads and tables."""
        known = set()
        for leaf, array in zip(self._living.leaves, self._arrays, strict=True):
            if not leaf.parameter or array.ndim < 2:
                continue
            if "Embed" in leaf.owner:
                known.add(array.shape[0])
            elif HEAD.search(owner_of(leaf.name)):
                known.add(array.shape[-1] if leaf.inputs_first else array.shape[0])
        return known

    def units(self, layer: str, made: tuple[int, ...]) -> int:
        """The units of a layer by its matrices."""
        own = zip(self._living.leaves, self._arrays, strict=True)
        matrices = [(leaf, a.shape) for leaf, a in own if owner_of(leaf.name) == layer and a.ndim > 1]
        return min((_units(tuple(shape), leaf.inputs_first, made) for leaf, shape in matrices), default=1)


def _units(matrix: tuple[int, ...], inputs_first: bool, made: tuple[int, ...]) -> int:
    """The units of one matrix, rather too few: a table has more rows, and a transposed kernel may have outputs first.

    >>> _units((50, 8), False, (4, 6, 8)), _units((3, 3, 1, 64), True, (4, 9, 9, 1))
    (8, 1)
    """
    if not inputs_first and len(matrix) > 2:
        return matrix[0]  # a kernel of Equinox, whose channels are not the last axis
    return min(matrix[-1] if inputs_first else matrix[0], made[-1] if made else 1)
