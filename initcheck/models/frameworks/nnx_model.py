"""A model of Flax nnx: its variables by path in the graph, shared ones once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.living.called import averages_over_devices, called_with, inputs_taken, listening
from initcheck.models.living.first_layers import batches_for
from initcheck.models.living.leaves import Leaf
from initcheck.models.living.model import Layer, Living, Tap, layers_of, lists_of_one

_RANDOM_STATE = (nnx.RngKey, nnx.RngCount)


def nnx_parts(model: Any) -> tuple[list[Any], NnxModel]:
    """The arrays of a model that was just built, and the model that takes others in their place."""
    graph, state = nnx.split(model)
    arrays, tree = jax.tree.flatten(state)
    variables = list(nnx.to_flat_state(state))
    modules = {tuple(map(str, path)): part for path, part in nnx.iter_modules(model)}
    leaves = [_leaf(tuple(map(str, path)), variable, modules) for path, variable in variables]
    kept = [i for i, (_, variable) in enumerate(variables) if not isinstance(variable, _RANDOM_STATE)]
    living = NnxModel(type(model).__name__, [leaves[i] for i in kept], _layers(modules, leaves), graph, tree)
    living.all_arrays, living.kept, living.inputs = arrays, kept, inputs_taken(model)
    living.shared = lists_of_one(modules.items(), nnx.Module)
    return [arrays[i] for i in kept], living


class NnxModel(Living):
    """One graph of modules; its own generators start anew at every run.

    Attributes:
        all_arrays: of the whole state, generators included; kept: which of them are the leaves.
        inputs: the arrays that it must be given, and which of them by name alone.
    """

    all_arrays: list[Any]
    kept: list[int]
    inputs: Mapping[str, bool]

    def __init__(self, name: str, leaves: Sequence[Leaf], layers: Sequence[Layer], graph: Any, tree: Any) -> None:
        self.name, self.leaves, self.layers = name, leaves, layers
        self._graph, self._tree = graph, tree

    def run(self, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap | None, heard: Mapping[str, Any]) -> Any:
        """Call the model on a batch; batch norms as in training, nothing dropped."""
        # A build that is traced leaves no numbers behind, in its generators neither.
        kept = set(self.kept)
        whole = [array if i in kept else _started(array) for i, array in enumerate(self.all_arrays)]
        for i, array in zip(self.kept, arrays, strict=True):
            whole[i] = array
        model = nnx.merge(self._graph, jax.tree.unflatten(self._tree, whole))
        model.eval()
        part: Any
        for _, part in nnx.iter_modules(model):
            if isinstance(part, nnx.BatchNorm):
                part.use_running_average = False
            if averages_over_devices(part):
                part.axis_name = None  # bound where it is trained: here there is one device
        parts = [(".".join(map(str, path)), part) for path, part in nnx.iter_modules(model)]
        call: Callable[..., Any] = model
        kwargs = called_with(
            call, batch.kwargs, chance=lambda name: nnx.Rngs(0) if name == "rngs" else jax.random.key(0)
        )
        with listening(parts, heard, tap):
            return call(*batch.args, **kwargs)

    def candidates(self, shapes: Mapping[str, tuple[int, ...]]) -> Sequence[str]:
        """Batches that its first layer takes."""
        return batches_for(self.leaves, shapes, batched=True, inputs=self.inputs)


def _started(state: Any) -> Any:
    """The state of a generator that was just seeded: its key, or how often it was asked."""
    if not jnp.issubdtype(state.dtype, jax.dtypes.prng_key):
        return jnp.zeros(state.shape, state.dtype)
    return jax.random.split(jax.random.key(0), state.shape) if state.shape else jax.random.key(0)


def _leaf(path: tuple[str, ...], variable: Any, modules: Mapping[tuple[str, ...], Any]) -> Leaf:
    owner = type(modules.get(path[:-1])).__name__
    parameter = isinstance(variable, nnx.Param)
    return Leaf(path, owner, parameter, parameter, inputs_first=owner != "Embed")


def _layers(modules: Mapping[tuple[str, ...], Any], leaves: Sequence[Leaf]) -> list[Layer]:
    found = layers_of(((path, type(part).__name__) for path, part in modules.items()), leaves)
    return sorted(found, key=lambda layer: [(p.isdigit(), int(p) if p.isdigit() else 0, p) for p in layer.path])
