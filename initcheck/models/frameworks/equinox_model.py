"""A model of Equinox: the arrays of its tree; one array at two places is two copies, as training treats it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from unittest.mock import patch

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.living.called import called_with, inputs_taken, listening
from initcheck.models.living.first_layers import batches_for
from initcheck.models.living.leaves import Leaf
from initcheck.models.living.model import Layer, Living, Tap, layers_of


def equinox_parts(model: Any, state: Any = None) -> tuple[list[Any], EquinoxModel]:
    """The arrays of a model that was just built, and the model that takes others in their place.

    Args:
        model: an ``equinox.Module``.
        state: what ``make_with_state`` gives beside it.
    """
    found, tree = jax.tree_util.tree_flatten_with_path(model)
    rest = [None if eqx.is_array(leaf) else leaf for _, leaf in found]
    kept = [i for i, (_, leaf) in enumerate(found) if eqx.is_array(leaf)]
    leaves = [_leaf(model, found[i][0], found[i][1]) for i in kept]
    kinds = [(path, type(part).__name__) for path, part in _modules(model)]
    living = EquinoxModel(type(model).__name__, leaves, layers_of(kinds, leaves), tree, rest, kept)
    living.inputs = {name: by_name for name, by_name in inputs_taken(model).items() if name != "state"}
    # A build that is traced leaves no numbers behind: what its state begins with is an array too, named as no other.
    state_arrays, living.state_tree = jax.tree.flatten(state)
    living.leaves = [*leaves, *(Leaf(("State", str(i)), "State", False, False) for i in range(len(state_arrays)))]
    return [*(found[i][1] for i in kept), *map(jnp.asarray, state_arrays)], living


class EquinoxModel(Living):
    """One tree of modules; it is called on one example, as its authors write it.

    Attributes:
        state_tree: of what stands beside it.
        inputs: the arrays that it must be given, and which of them by name alone.
    """

    state_tree: Any
    inputs: Mapping[str, bool]

    def __init__(
        self, name: str, leaves: Sequence[Leaf], layers: Sequence[Layer], tree: Any, rest: list[Any], kept: list[int]
    ) -> None:  # fmt: skip
        self.name, self.leaves, self.layers = name, leaves, layers
        self._tree, self._rest, self._kept = tree, rest, kept

    def run(self, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap | None, heard: Mapping[str, Any]) -> Any:
        """Call the model on one example."""
        whole = list(self._rest)
        own = len(self._kept)
        for i, array in zip(self._kept, arrays[:own], strict=True):
            whole[i] = array
        model = eqx.nn.inference_mode(jax.tree.unflatten(self._tree, whole))
        parts = [(".".join(path), part) for path, part in _modules(model)]
        call: Callable[..., Any] = model
        state = jax.tree.unflatten(self.state_tree, arrays[own:])
        kwargs = called_with(call, batch.kwargs, chance=lambda _: jax.random.key(0), state=state)
        with patch.object(eqx.nn.BatchNorm, "__call__", _over_one_example), listening(parts, heard, tap):
            return call(*batch.args, **kwargs)

    def candidates(self, shapes: Mapping[str, tuple[int, ...]]) -> Sequence[str]:
        """Batches of one example that its first layer takes."""
        return batches_for(self.leaves, shapes, batched=False, inputs=self.inputs)


def _over_one_example(norm: Any, x: Any, state: Any, **_: object) -> tuple[Any, Any]:
    """A batch norm as in training, with the moments of one example's places: no axis counts others."""
    if x.ndim < 2:
        raise ValueError("a batch norm of vectors takes its moments over a batch, and one example is run")
    axes = tuple(range(1, x.ndim))
    shape = (-1, *(1,) * len(axes))
    out = (x - x.mean(axes, keepdims=True)) / jnp.sqrt(x.var(axes, keepdims=True) + norm.eps)
    return (out * norm.weight.reshape(shape) + norm.bias.reshape(shape) if norm.channelwise_affine else out), state


def _leaf(model: Any, path: Any, array: Any) -> Leaf:
    owner, parts = model, []
    for i, entry in enumerate(path):
        parts.append(_part(entry))
        if i < len(path) - 1:
            owner = _child(owner, entry)
            if isinstance(owner, eqx.Module):
                last = owner
    kind = type(owner if isinstance(owner, eqx.Module) else locals().get("last", model)).__name__
    real = np.issubdtype(np.dtype(array.dtype) if array.dtype.name != "bfloat16" else np.float32, np.inexact)
    return Leaf(tuple(parts), kind, bool(real), bool(real), inputs_first=False)


def _part(entry: Any) -> str:
    for attribute in ("name", "idx", "key"):
        if hasattr(entry, attribute):
            return str(getattr(entry, attribute))
    return str(entry).strip("[].<>")


def _child(owner: Any, entry: Any) -> Any:
    if hasattr(entry, "name"):
        return getattr(owner, entry.name, None)
    try:
        return owner[entry.idx if hasattr(entry, "idx") else entry.key]
    except (TypeError, KeyError, IndexError, AttributeError):
        return None


def _modules(model: Any) -> list[tuple[tuple[str, ...], Any]]:
    """Every module of the tree with its path."""
    found: list[tuple[tuple[str, ...], Any]] = []

    def visit(value: Any, path: tuple[str, ...]) -> None:
        if isinstance(value, eqx.Module):
            if path:
                found.append((path, value))
            for name in value.__dataclass_fields__:
                visit(getattr(value, name, None), (*path, name))
        elif isinstance(value, (list, tuple)):
            for i, item in enumerate(value):
                visit(item, (*path, str(i)))
        elif isinstance(value, dict):
            for key, item in value.items():
                visit(item, (*path, str(key)))

    visit(model, ())
    return found
