"""One built model of any framework as its tensors by path, each with one row an output unit."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.errors import UsageError

Array = npt.NDArray[Any]

# The classes of PyTorch whose weights are stored (in, out), as transformers' Conv1D is.
_STORED_IN_OUT = ("Conv1D", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d")
ROWS_FIRST = ("embedding", "embeddings", "bias", "scale", "gamma", "beta")
"""The leaves of Keras and Flax that are no kernels: a row of a table, a scale, a bias is what it is there too."""


@dataclass(frozen=True)
class Tensor:
    """One parameter or buffer of a built model.

    Attributes:
        path: its name, its parts divided by dots.
        owner: the class of its module, or its framework where that is not known.
        values: the parameter, its first axis that of the units where it has two axes or more.
        axes: which axis of the parameter as it is stored each of these is, where they were turned.
        buffer: it is no parameter: a running mean, a mask, a table of angles.
    """

    path: str
    owner: str
    values: Array
    axes: tuple[int, ...] = ()
    buffer: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape with the units first."""
        return self.values.shape

    @property
    def turned(self) -> bool:
        """Whether the axes were turned: it is stored (in, out)."""
        return bool(self.axes)

    @property
    def stored(self) -> Array:
        """The parameter as it is stored."""
        return self.values.transpose(np.argsort(self.axes)) if self.axes else self.values


def tensors_of(model: Any, name: str) -> list[Tensor]:
    """The parameters of a model in the order in which it holds them, tied ones once, and behind them its buffers.

    Args:
        model: a ``torch.nn.Module``, a Keras model that is built, a Flax ``nnx.Module``, the variables of a Linen
            module, an Equinox module, or a dict of arrays.
        name: of the target, for messages.

    Raises:
        UsageError: it is none of these, or has no parameter yet.
    """
    if isinstance(model, list) and model and isinstance(model[0], Tensor):
        return model
    found = sorted(_read(model, name), key=lambda tensor: tensor.buffer)
    if not found or found[0].buffer:
        raise UsageError(f"{name} builds {type(model).__name__} without parameters: there is nothing to compare.")
    return found


def _read(model: Any, name: str) -> Iterator[Tensor]:
    torch, keras, nnx = (sys.modules.get(m) for m in ("torch", "keras", "flax.nnx"))
    if torch is not None and isinstance(model, torch.nn.Module):
        return _of_torch(model, torch)
    if keras is not None and isinstance(model, (keras.Model, keras.layers.Layer)):
        if not model.built:
            raise UsageError(f"{name} returns a Keras model that is not built; call model.build(input_shape) in it.")
        return _of_keras(model)
    if nnx is not None and isinstance(model, nnx.Module):
        statistics = _of_tree(nnx.state(model, nnx.BatchStat), "flax") if nnx.state(model, nnx.BatchStat) else ()
        return itertools.chain(_of_tree(nnx.state(model, nnx.Param), "flax"), _as_buffers(statistics))
    equinox = sys.modules.get("equinox")
    if equinox is not None and isinstance(model, equinox.Module):
        return _of_tree(equinox.filter(model, equinox.is_inexact_array), "equinox")
    if isinstance(model, Mapping):
        statistics = _of_tree(model["batch_stats"], "flax") if "params" in model and "batch_stats" in model else ()
        return itertools.chain(_of_tree(model.get("params", model), "flax"), _as_buffers(statistics))
    linen = sys.modules.get("flax.linen")
    if linen is not None and isinstance(model, linen.Module):
        raise UsageError(
            f"{name} returns {type(model).__name__} of flax.linen, which has no parameters before its init: give it a"
            f" parameter key and return what init gives, {type(model).__name__}(...).init(key, batch), where the batch"
            " has the sizes that you want."
        )
    raise UsageError(
        f"{name} returns {type(model).__name__}: expected a torch.nn.Module, a Keras model, a module of Flax or"
        " Equinox, or a dict of arrays by name."
    )


def _of_torch(model: Any, torch: Any) -> Iterator[Tensor]:
    seen: set[int] = set()
    for prefix, module in model.named_modules():
        for leaf, parameter in module._parameters.items():
            if parameter is None or id(parameter) in seen:
                continue
            seen.add(id(parameter))
            path = f"{prefix}.{leaf}" if prefix else leaf
            values = _numbers_of(parameter, path, torch)
            owner = type(module).__name__
            if owner in _STORED_IN_OUT and values.ndim > 1 and getattr(module, "groups", 1) == 1:
                axes = (1, 0, *range(2, values.ndim))
                yield Tensor(path, owner, np.array(values.transpose(axes)), axes)
            else:
                yield Tensor(path, owner, np.array(values))
        for leaf, buffer in module._buffers.items():
            if buffer is None or id(buffer) in seen or leaf in module._non_persistent_buffers_set:
                continue
            seen.add(id(buffer))
            path = f"{prefix}.{leaf}" if prefix else leaf
            yield Tensor(path, type(module).__name__, np.array(_numbers_of(buffer, path, torch)), buffer=True)


def _numbers_of(tensor: Any, path: str, torch: Any) -> Array:
    if tensor.is_meta:
        raise UsageError(f"{path} is on the meta device: it has no memory, so nothing was written to it.")
    tensor = tensor.detach()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    values: Array = tensor.to("cpu", torch.float32).numpy()
    return values


def _as_buffers(tensors: Iterable[Tensor]) -> Iterator[Tensor]:
    return (replace(tensor, buffer=True) for tensor in tensors)


def _of_keras(model: Any) -> Iterator[Tensor]:
    # Only here: it imports Keras. Names that Keras numbers go on from build to build; there they begin anew.
    from initcheck.models.frameworks.keras_model import KerasModel

    for leaf, weight in KerasModel(model).pairs():
        if leaf.parameter or "seed_generator" not in leaf.name:
            values = np.asarray(weight.numpy() if hasattr(weight, "numpy") else weight)
            yield replace(units_first(leaf.name, "keras", values), buffer=not leaf.parameter)


def _of_tree(tree: Any, framework: str) -> Iterator[Tensor]:
    if any(type(leaf) is not np.ndarray for leaf in _leaves(tree)):
        jax = sys.modules.get("jax")
        if jax is None:
            raise UsageError("a leaf of the model is no array.")
        for words, leaf in _in_order(tree, jax):
            # An nnx.Param holds its array by that name; a module of that name is one of the user's.
            path = ".".join(words[:-1] if words[-1:] == ("value",) else words)
            values = np.asarray(leaf)
            yield Tensor(path, framework, values) if framework == "equinox" else units_first(path, framework, values)
        return
    yield from (Tensor(path, "numpy", values) for path, values in _flat(tree))


def _in_order(tree: Any, jax: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The leaves of a tree in the order in which its dicts hold them: JAX sorts them by name, and loses their place."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            for words, leaf in _in_order(value, jax):
                yield (str(key), *words), leaf
        return
    for keys, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        yield tuple(str(getattr(key, "key", getattr(key, "name", getattr(key, "idx", key)))) for key in keys), leaf


def _leaves(tree: Any) -> Iterator[Any]:
    if not isinstance(tree, Mapping):
        yield tree
        return
    for value in tree.values():
        yield from _leaves(value)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Array]]:
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}.")
        else:
            yield path, value


def tensor_of(path: str, framework: str, values: Array) -> Tensor:
    """One parameter of a layer of a framework, its units first.

    Args:
        path: its name.
        framework: ``torch``, ``keras``, ``linen``, ``nnx`` or ``equinox``.
        values: as the framework holds it.
    """
    if framework in ("torch", "equinox"):
        return Tensor(path, framework, np.array(values, dtype=np.float32))
    return units_first(path.replace("/", "."), framework, values)


def units_first(path: str, owner: str, values: Array) -> Tensor:
    """A weight of Keras or Flax, whose units are the last axis, as PyTorch stores it.

    Args:
        path: its name.
        owner: its framework.
        values: as the framework holds it.
    """
    leaf = path.rpartition(".")[2].partition("[")[0]
    if values.ndim < 2 or leaf in ROWS_FIRST:
        return Tensor(path, owner, np.array(values, dtype=np.float32))
    axes = (values.ndim - 1, values.ndim - 2, *range(values.ndim - 2))
    return Tensor(path, owner, np.array(np.transpose(values, axes), dtype=np.float32), axes)
