"""What a library of arrays must do so that a living model is listened to: run it, and differentiate through it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.living.model import Living, Tap
from initcheck.models.signals.chains import Visit


@dataclass(frozen=True)
class Blocks:
    """What the first run of the first model told.

    Attributes:
        batch: that it was run on.
        runs: of blocks that follow one another, at least four.
        unheard: why there is none.
        puts_out: whether an array of real numbers came out.
        living: whose layers the blocks are: the model, or the matrices that it holds by itself.
    """

    batch: ArrayBatch
    runs: Sequence[Sequence[Visit]]
    unheard: str | None
    puts_out: bool
    living: Living


@dataclass(frozen=True)
class ArraysMeasured:
    """One run of a model, forward and backward.

    Attributes:
        forward: name of a layer -> second moment of what it made.
        backward: name of a layer -> second moment of the gradient that reaches what it made.
        output: the first array of real numbers that came out.
        gradients: of the arrays of real numbers, in their order; of the library's own kind.
    """

    forward: dict[str, float]
    backward: dict[str, float]
    output: npt.NDArray[np.float64]
    gradients: Sequence[Any]


class Autodiff(ABC):
    """One library of arrays: what it calls an array, and how it differentiates; one object for the builds of a factory.

    Attributes:
        blocks: what the first model that was listened to told of its blocks.
    """

    blocks: Blocks | None = None

    @abstractmethod
    def leaves(self, value: Any) -> list[Any]:
        """What a nested value holds, in order."""

    @abstractmethod
    def is_real(self, array: Any) -> bool:
        """Whether this is an array of real numbers."""

    @abstractmethod
    def host(self, array: Any) -> npt.NDArray[Any]:
        """The array in the host's memory."""

    @abstractmethod
    def measure(
        self, living: Living, arrays: Sequence[Any], batch: ArrayBatch, names: Sequence[str], *, whole: bool = False
    ) -> ArraysMeasured:
        """Run the model, differentiate a weighted sum of its output, and note what reaches some of its layers.

        Args:
            living: takes the arrays.
            arrays: of its leaves.
            batch: its arguments.
            names: of the layers that are listened to.
            whole: whether all that it returns is summed up, and not its first array alone.
        """

    def in_double(self, living: Living, arrays: Sequence[Any], batch: ArrayBatch) -> Sequence[Any] | None:
        """The gradients in double precision; None where the library or the model cannot."""
        return None

    def run(
        self, living: Living, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap | None, heard: Iterable[str]
    ) -> Any:
        """Run on numbers; the tap is told of these layers. No gradient is taken."""
        return living.run(arrays, batch, tap, dict.fromkeys(heard))

    def output(self, living: Living, arrays: Sequence[Any], batch: ArrayBatch) -> npt.NDArray[np.float64] | None:
        """The first array of real numbers that a run puts out."""
        found = self.first_real(self.run(living, arrays, batch, None, ()))
        return None if found is None else np.asarray(self.host(found), np.float64)

    def first_run(
        self, living: Living, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap, heard: Iterable[str]
    ) -> Any:
        """The run that decides what can be listened to."""
        return self.run(living, arrays, batch, tap, heard)

    def own_matrices(self, living: Living, arrays: Sequence[Any]) -> Living | None:
        """The model with the matrices that it multiplies by itself as layers; None where these cannot be heard."""
        return None

    @property
    def unstacked(self) -> Collection[str]:
        """Layers that hold a slice for each block, and whose passes the first run told apart."""
        return ()

    def like(self, array: Any, value: Any) -> Any:
        """A value, of the library's own kind or NumPy's, as an array of the type that another one has."""
        return value if value is array else array * 0 + np.asarray(value, array.dtype)

    def hides(self, array: Any) -> bool:
        """Whether an array stands for numbers that a transformation of the library will bring later."""
        return False

    def first_real(self, value: Any) -> Any:
        """The first array of real numbers in a nested result; of several the logits, or the last hidden state."""
        for name in ("logits", "last_hidden_state"):
            inner = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
            if inner is not None and hasattr(inner, "dtype"):
                return inner
        return next((leaf for leaf in self.leaves(value) if self.is_real(leaf)), None)

    def outputs(self, value: Any, whole: bool) -> list[Any]:
        """The arrays of real numbers in what a model returned: all, or the first one."""
        return list(filter(self.is_real, self.leaves(value))) if whole else [self.first_real(value)]


class EagerAutodiff(Autodiff):
    """A library that computes as it is called, so that what a layer made can be differentiated by once it is there."""

    @abstractmethod
    def differentiated(
        self, run: Callable[[list[Any]], tuple[list[Any], list[Any]]], weights: list[Any]
    ) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
        """Call a function of weights, and differentiate the weighted sum of the outputs that it returns.

        Returns:
            The outputs; what the layers made; the gradients by it; those by the weights, zeros where there is none.
        """

    def measure(
        self, living: Living, arrays: Sequence[Any], batch: ArrayBatch, names: Sequence[str], *, whole: bool = False
    ) -> ArraysMeasured:
        """Run the model once and differentiate by what its layers made and by its arrays."""
        real = [i for i, a in enumerate(arrays) if self.is_real(a)]
        made: dict[str, Any] = {}

        def tap(name: str, given: Any, result: Any) -> Any:
            made[name] = self.first_real(result)
            return result

        def run(weights: list[Any]) -> tuple[list[Any], list[Any]]:
            replaced = list(arrays)
            for i, weight in zip(real, weights, strict=True):
                replaced[i] = weight
            returned = living.run(replaced, batch, tap, dict.fromkeys(names))
            return self.outputs(returned, whole), list(made.values())

        outputs, heard, by_layer, by_weight = self.differentiated(run, [arrays[i] for i in real])
        return ArraysMeasured(
            forward={n: _second_moment(self.host(a)) for n, a in zip(made, heard, strict=True)},
            backward={
                n: _second_moment(_let_through(self.host(g), self.host(a)))
                for n, a, g in zip(made, heard, by_layer, strict=True)
            },
            output=np.asarray(self.host(outputs[0]), np.float64),
            gradients=by_weight,
        )


def weights_of_output(shape: Sequence[int]) -> npt.NDArray[np.float32]:
    """What the entries of an output are multiplied by before they are summed up: the same for every model."""
    return np.random.default_rng(20260103).standard_normal(tuple(shape)).astype(np.float32)


def _let_through(gradient: npt.NDArray[Any], made: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The gradient by what a layer made, before the ReLU that it may end with, which passes nothing on at its zeros."""
    opened = made != 0
    return gradient * opened if opened.any() else gradient


def _second_moment(array: npt.NDArray[Any]) -> float:
    return float(np.mean(np.square(array.astype(np.float64))))
