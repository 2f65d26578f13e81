"""Differentiation through a living model of JAX: compiled once for one factory, run on the arrays of every build."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from initcheck.adapters.frameworks.cheaply_compiled import compiled
from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.living.autodiff import ArraysMeasured, Autodiff, weights_of_output
from initcheck.models.living.model import Living, Tap
from initcheck.models.living.own_matrices import OwnMatrices
from initcheck.models.living.unrolled import Passes
from initcheck.models.signals.signal import FEWEST_BLOCKS


class JaxAutodiff(Autodiff):
    """Arrays of JAX; one object serves the builds of one factory."""

    def __init__(self) -> None:
        self._passes = Passes({})
        self._outermost: Any = None
        self._compiled: dict[tuple[tuple[str, ...], bool], Callable[..., Any]] = {}

    def leaves(self, value: Any) -> list[Any]:
        """What a nested value holds, in order."""
        return list(jax.tree.leaves(value))

    def is_real(self, array: Any) -> bool:
        """Whether this is an array of real numbers."""
        return hasattr(array, "dtype") and bool(jnp.issubdtype(array.dtype, jnp.floating))

    def host(self, array: Any) -> npt.NDArray[Any]:
        """The array in the host's memory."""
        return np.asarray(array)

    def hides(self, array: Any) -> bool:
        """Whether a transformation is at work: a compiled function, a scan, a map."""
        return isinstance(array, jax.core.Tracer) and array._trace is not self._outermost

    def output(self, living: Living, arrays: Sequence[Any], batch: ArrayBatch) -> npt.NDArray[np.float64] | None:
        """Of what was compiled for the signal, if anything was: step by step, each step is compiled."""
        for names, whole in self._compiled:
            if not whole:
                return self.measure(living, arrays, batch, names).output
        return super().output(living, arrays, batch)

    def own_matrices(self, living: Living, arrays: Sequence[Any]) -> Living | None:
        """The model with its numbered matrices as layers, where it has as many as blocks are asked for."""
        own = OwnMatrices(living, [tuple(np.shape(a)) for a in arrays])
        return own if len(own.layers) >= FEWEST_BLOCKS else None

    @property
    def unstacked(self) -> Collection[str]:
        """The stacked layers that the first run went through block by block."""
        return self._passes.found

    def first_run(
        self, living: Living, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap, heard: Iterable[str]
    ) -> Any:
        """Run, with the scans of stacked layers as loops, and remember which call is which block."""
        self._passes = Passes(living.stacked)
        if not living.stacked:
            # Nobody asks for its numbers: step by step, each step would be compiled for them.
            with contextlib.suppress(Exception):  # what looks at numbers is run on some, where its errors are its own
                return self._first_trace(living, arrays, batch, tap, heard)
        return self._passes.first_run(living, arrays, batch, tap, heard)

    def _first_trace(
        self, living: Living, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap, heard: Iterable[str]
    ) -> Any:
        told: list[tuple[str, Any, Any]] = []

        def note(name: str, given: Any, made: Any) -> Any:
            told.append((name, given, made))
            return made

        def output(floats: Any, args: Any, kwargs: Any) -> Any:
            self._outermost = floats[0]._trace
            values = dict(zip(real, floats, strict=True))
            whole = [values.get(i, a) for i, a in enumerate(arrays)]
            return self.first_real(self._passes.run(living, whole, ArrayBatch(args, kwargs, batch.text), note, heard))

        real = [i for i, a in enumerate(arrays) if self.is_real(a)]
        made = jax.eval_shape(output, [arrays[i] for i in real], batch.args, dict(batch.kwargs))
        for call in told:
            tap(*call)
        return made

    def measure(
        self, living: Living, arrays: Sequence[Any], batch: ArrayBatch, names: Sequence[str], *, whole: bool = False
    ) -> ArraysMeasured:
        """Run what was compiled for these layers and arrays; the model is that of the first build."""
        real = [i for i, a in enumerate(arrays) if self.is_real(a)]
        case = tuple(names), whole
        if case not in self._compiled:
            self._compiled[case] = compiled(self._measured(living, names, real, whole), runs_often=False)
        floats = [arrays[i] for i in real]
        rest = [None if i in set(real) else a for i, a in enumerate(arrays)]
        forward, backward, output, gradients = self._compiled[case](floats, rest, batch.args, dict(batch.kwargs))
        return ArraysMeasured(
            {name: float(share) * float(size) ** 2 for name, (share, size) in forward.items()},
            {name: float(share) * float(size) ** 2 for name, (share, size) in backward.items()},
            np.asarray(output, np.float64),
            gradients,
        )

    def in_double(self, living: Living, arrays: Sequence[Any], batch: ArrayBatch) -> Sequence[Any] | None:
        """The gradients, all real numbers widened; None before JAX 0.8."""
        if not hasattr(jax, "enable_x64"):
            return None
        with jax.enable_x64(True):
            wide = [self._widened(a) for a in arrays]
            args, kwargs = jax.tree.map(self._widened, (batch.args, dict(batch.kwargs)))
            return self.measure(living, wide, ArrayBatch(args, kwargs), (), whole=True).gradients

    def _widened(self, array: Any) -> Any:
        return jnp.asarray(np.asarray(array, np.float64)) if self.is_real(array) else array

    def _measured(self, living: Living, names: Sequence[str], real: Sequence[int], whole: bool) -> Callable[..., Any]:
        """The function that is compiled: energies of the blocks forward and backward, the output, gradients.

        What reaches a block is the gradient by zeros that are added to what it made.
        """
        passes = self._passes

        def measure(floats: Any, rest: Any, args: Any, kwargs: Any) -> Any:
            shapes: dict[str, Any] = {}
            batch = ArrayBatch(args, kwargs)

            def output_of(pushes: Any, weights: Any, keep: dict[str, Any]) -> Any:
                arrays = list(rest)
                for i, weight in zip(real, weights, strict=True):
                    arrays[i] = weight

                def tap(name: str, given: Any, made: Any) -> Any:
                    array = self.first_real(made)
                    keep[name] = array
                    if name not in pushes:
                        return made
                    return jax.tree.map(lambda a: a + pushes[name].astype(a.dtype) if a is array else a, made)

                return self.outputs(passes.run(living, arrays, batch, tap, names), whole)

            kept: dict[str, Any] = {}
            jax.eval_shape(
                lambda w: (output_of({}, w, kept), shapes.update({n: a.shape for n, a in kept.items()}))[0], floats
            )

            def weighed(pushes: Any, weights: Any) -> Any:
                keep: dict[str, Any] = {}
                outputs = output_of(pushes, weights, keep)
                total = sum((o.astype(jnp.float32) * weights_of_output(o.shape)).sum() for o in outputs)
                return total, (keep, outputs[0])

            pushes = {name: jnp.zeros(shape) for name, shape in shapes.items()}
            (_, (keep, output)), (backward, gradients) = jax.value_and_grad(weighed, argnums=(0, 1), has_aux=True)(
                pushes, floats
            )
            ahead = {n: _mean_square(a) for n, a in keep.items()}
            back = {n: _mean_square(_let_through(g, keep[n])) for n, g in backward.items()}
            return ahead, back, output, gradients

        return measure


def _let_through(gradient: Any, made: Any) -> Any:
    """The gradient by what a layer made, before the ReLU that it may end with, which passes nothing on at its zeros."""
    opened = made != 0
    return jnp.where(opened | ~opened.any(), gradient, 0.0)


def _mean_square(array: Any) -> tuple[Any, Any]:
    """The mean square over the square of a number, and that: the square of 1e-30 is none in float32, nor that of 1e30.

    The number is the largest entry, at most 1e30: the inverse of a larger one is none, and infinity stays infinite.
    """
    wide = array.astype(jnp.float32)
    peak = jnp.max(jnp.abs(wide), initial=0.0)
    size = jnp.where(peak > 0, jnp.minimum(peak, 1e30), 1.0)
    return jnp.mean(jnp.square(wide / size)), size
