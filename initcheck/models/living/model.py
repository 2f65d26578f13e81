"""A model outside of torch that can be run: its arrays are handed in, and its layers can be listened to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.living.leaves import Leaf

Tap = Callable[[str, Any, Any], Any]
"""Is told the path of a layer, what it was given and what it made; what it returns stands in for that."""


@dataclass(frozen=True)
class Layer:
    """A layer of a living model.

    Attributes:
        path: its parts.
        kind: its class.
        holds: whether it has parameters, of its own or of layers inside.
    """

    path: tuple[str, ...]
    kind: str
    holds: bool = True

    @property
    def name(self) -> str:
        """Its path as text."""
        return ".".join(self.path)


def layers_of(kinds: Iterable[tuple[tuple[str, ...], str]], leaves: Sequence[Leaf]) -> list[Layer]:
    """The layers of a model, without its root.

    Args:
        kinds: path and class of every layer, in order.
        leaves: of the model.
    """
    held = {leaf.path[:n] for leaf in leaves if leaf.parameter for n in range(1, len(leaf.path))}
    return [Layer(path, kind, path in held) for path, kind in kinds if path]


def lists_of_one(layers: Iterable[tuple[tuple[str, ...], Any]], kind: type) -> dict[tuple[str, ...], str]:
    """The names that one layer has in a list that holds no other, as ``[layer] * n`` makes it.

    Args:
        layers: path of a layer, or the model -> itself.
        kind: what a layer is an object of.
    """
    found = {}
    for path, layer in layers:
        for word, value in vars(layer).items():
            several = list(value) if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else []
            alone = len(several) > 1 and isinstance(several[0], kind) and all(one is several[0] for one in several)
            if alone and not word.startswith("_"):
                found[tuple(".".join((*path, word, str(i))) for i in range(len(several)))] = ""
    return found


class Living(ABC):
    """One model, whose arrays are given at every run.

    Attributes:
        name: class of the root.
        leaves: its arrays, in the order in which they are handed in.
        layers: every layer, in the order in which they were made or first called.
        stacked: name of a layer whose arrays hold one slice for each block, as a scan wants them -> its blocks.
        shared: names of one layer that fills a list alone -> nothing more (``Layout.shared``).
    """

    name: str
    leaves: Sequence[Leaf]
    layers: Sequence[Layer]
    stacked: Mapping[str, int] = MappingProxyType({})
    shared: Mapping[tuple[str, ...], str] = MappingProxyType({})

    @abstractmethod
    def run(self, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap | None, heard: Mapping[str, Any]) -> Any:
        """Call the model on a batch.

        Args:
            arrays: of the leaves.
            batch: its arguments.
            tap: is told of the layers that are heard.
            heard: names of these layers.
        """

    @abstractmethod
    def candidates(self, shapes: Mapping[str, tuple[int, ...]]) -> Sequence[str]:
        """Batches that it may take, as text, likeliest first.

        Args:
            shapes: of the leaves, by path.
        """
