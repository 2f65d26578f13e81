"""What a framework must do so that the signal through a model is measured: run it, listen, differentiate, change it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.models.batches.batch_text import CallArguments
from initcheck.models.signals.signal import ChainSignal

UNABLE = (RuntimeError, IndexError, ValueError, TypeError, KeyError, AssertionError, AttributeError)
"""What a model may raise of a batch that was made of another one, or of weights that are not its own."""

Note = Callable[[str, npt.NDArray[Any] | None, npt.NDArray[Any] | None], None]
"""Is told the path of a layer, and the first arrays of real numbers that it was given and that it made."""


@dataclass(frozen=True)
class Measured:
    """One run of a model, forward and backward.

    Attributes:
        chains: runs of at least four blocks, with what passes through them both ways.
        output: the first array of real numbers that came out; None where there is none.
        gradients: of the parameters that were asked for, as ``LiveModel.gradients`` gives them.
        unheard: why blocks that are there could not be listened to.
    """

    chains: tuple[ChainSignal, ...] = ()
    output: npt.NDArray[Any] | None = None
    gradients: Mapping[str, Any] = field(default_factory=dict)
    unheard: str | None = None


class LiveModel(ABC):
    """One model that was just built, and its framework.

    Arrays are of the framework's own kind, with the operators of Python; ``host`` makes them NumPy's.

    Attributes:
        noun: what the framework calls an array.
        read_off: what its batches are made of.
        channels_first: whether the channels of an image stand before its places.
        knows_parts: whether a parameter of which the output tells nothing is told from one whose gradient is zero.
    """

    noun: str = "array"
    read_off: str = "first layer"
    channels_first: bool = False
    knows_parts: bool = False

    @property
    @abstractmethod
    def values(self) -> Mapping[str, Any]:
        """The parameters, as they are now."""

    @property
    @abstractmethod
    def trained(self) -> Mapping[str, tuple[int, ...]]:
        """Name of a parameter that is trained and has entries -> its shape."""

    @property
    @abstractmethod
    def parts(self) -> Collection[str]:
        """The paths of all layers and of what holds them, if it can be called."""

    @property
    @abstractmethod
    def layers(self) -> Sequence[str]:
        """The layers that hold parameters of their own and can be listened to."""

    @abstractmethod
    def host(self, array: Any) -> npt.NDArray[Any]:
        """An array in the host's memory."""

    @abstractmethod
    def batches(self, refused: list[tuple[Any, Exception]]) -> Iterator[Any]:
        """Batches that it may take, likeliest first.

        Args:
            refused: what did not go through so far, and what was raised; it grows while they are taken, and what is
                tried on the way is added.
        """

    @abstractmethod
    def measure(self, batch: Any, names: Collection[str]) -> Measured:
        """Run the model forward and backward once: its chains of blocks, its output, the gradients by parameters."""

    @abstractmethod
    def output(self, batch: Any) -> npt.NDArray[Any] | None:
        """The first array of real numbers that a run puts out, the logits where there are some."""

    @abstractmethod
    def listen(self, batch: CallArguments, layers: Collection[str], note: Note) -> None:
        """Run the model, without a gradient, and tell what these layers were given and made."""

    @abstractmethod
    def gradients(self, batch: CallArguments, names: Collection[str], *, whole: bool = False) -> dict[str, Any]:
        """The gradients, by some parameters, of a weighted sum of what the model puts out.

        Args:
            batch: goes through the model.
            names: of the parameters.
            whole: whether all that it returns is summed up, and not the first array alone.

        Returns:
            Name -> gradient, None of what has no part in it; nothing where nothing can be differentiated.
        """

    @abstractmethod
    def changed(self, values: Iterable[tuple[str, Any]], *, back: bool = True) -> AbstractContextManager[LiveModel]:
        """The model with other values, for as long as it lasts.

        Args:
            values: name of a parameter, and an array of its own kind or of NumPy's.
            back: whether the values it had may be asked for afterwards.
        """

    @abstractmethod
    def classes(self, dimensions: int) -> set[int]:
        """The numbers of classes of its heads, and of tokens of its tables, for an output of so many dimensions."""

    @abstractmethod
    def units(self, layer: str, made: tuple[int, ...]) -> int:
        """The units of a layer that made an array of this shape, rather too few."""

    @abstractmethod
    def sizes_in_double(self, batch: Any, names: Collection[str]) -> dict[str, float]:
        """The same as ``sizes`` in double precision; nothing where the framework or the model cannot."""

    def sizes(self, batch: CallArguments, names: Collection[str]) -> dict[str, float | None]:
        """The largest entry of the gradient of all that is put out, by some parameters, as ``gradients`` gives it."""
        found = self.gradients(batch, names, whole=True)
        return {n: None if g is None else self.largest(g) for n, g in found.items()}

    def largest(self, array: Any) -> float:
        """The size of its largest entry; infinite where one is no number."""
        size = float(np.abs(self.host(array)).max(initial=0.0))
        return math.inf if math.isnan(size) else size

    def second_moment(self, array: Any) -> float:
        """The mean square of its entries."""
        return float(np.mean(np.square(self.host(array).astype(np.float64))))

    def constant(self, name: str) -> float | None:
        """The size of the entries of a parameter where all are the same; None where they are not."""
        values = self.host(self.values[name])
        first = values.reshape(-1)[0]
        return float(np.abs(first)) if bool(np.all(values == first)) else None

    def settled(self) -> AbstractContextManager[object]:
        """While it lasts, nothing is dropped and nothing compiled; batch norms take the moments of their batch."""
        return nullcontext()

    def no_forward(self) -> str | None:
        """Why it is not run at all; None where it is."""
        return None

    def own_mistake(self, refused: Iterable[tuple[Any, Exception]]) -> str | None:
        """What in the model's own code stops every batch; None where nothing does."""
        return None

    def in_training(self) -> AbstractContextManager[object] | None:
        """While it lasts, the model runs as it is trained; None where it is never run so."""
        return None

    def outside(self, batch: Any) -> tuple[str, ...]:
        """What is trainable, has a part in what is returned, and is no parameter: an optimizer never sees it."""
        return ()

    def writers(self, batch: Any, runs: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], tuple[str, ...]]:
        """Blocks of a run -> the layers of its middle block whose output is added to the residual stream as it is."""
        return {}

    def repeated(self, batch: Any) -> tuple[tuple[str, ...], ...]:
        """The names of each layer that stands several times in one list, where it is given one input twice."""
        return ()


@contextmanager
def constants_redrawn(
    model: LiveModel, below: float = math.inf, but: Collection[str] = ()
) -> Iterator[tuple[LiveModel, tuple[str, ...]]]:
    """The model with small random numbers in every trained parameter that is constant, and the names of these.

    Args:
        model: its other parameters are left.
        below: only constants of this size.
        but: names that keep their constant.
    """
    generator = np.random.default_rng(20260107)
    sizes = {n: model.constant(n) for n in model.trained if n not in but}
    shapes = {n: model.trained[n] for n, size in sizes.items() if size is not None and size < below}
    drawn = ((n, 0.1 * generator.standard_normal(shape, dtype=np.float32)) for n, shape in shapes.items())
    with model.changed(drawn) as changed:
        yield changed, tuple(shapes)


def without_gradient(model: LiveModel, batch: CallArguments, names: Collection[str]) -> set[str]:
    """Of these parameters those that no entry of the output tells of; none where it tells of no parameter at all."""
    found = model.gradients(batch, names)
    return {n for n, g in found.items() if g is None or model.largest(g) == 0.0}
