"""One built model of any framework as its tensors by path, each with one row an output unit."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterator, Mapping
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
OF_A_DICT = "dict"
"""The owner of what nobody but the name of an entry tells of: it may be a parameter or a buffer."""
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked", "moving_mean", "moving_variance")
# Where a checkpoint holds the weights: always under these words, and under this one beside an optimiser's state.
_WEIGHTS, _BESIDE = ("params", "state_dict", "model_state_dict"), "model"
_OF_LINEN = "batch_stats"


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
            module, an Equinox module, a state dict, or arrays in dicts, lists, tuples and what JAX knows as a tree.
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
        kept = nnx.state(model, nnx.All(nnx.Variable, nnx.Not(nnx.Any(nnx.Param, nnx.RngState))))
        return itertools.chain(_of_tree(nnx.state(model, nnx.Param), "flax"), _as_buffers(kept))
    equinox = sys.modules.get("equinox")
    if equinox is not None and isinstance(model, equinox.Module):
        return _of_tree(equinox.filter(model, equinox.is_inexact_array), "equinox")
    if isinstance(model, Mapping):
        return itertools.chain(_of_tree(_weights_in(model), "flax"), *map(_as_buffers, _collections(model)))
    linen = sys.modules.get("flax.linen")
    if linen is not None and isinstance(model, linen.Module):
        raise UsageError(
            f"{name} returns {type(model).__name__} of flax.linen, which has no parameters before its init: give it a"
            f" parameter key and return what init gives, {type(model).__name__}(...).init(key, batch), where the batch"
            " has the sizes that you want."
        )
    if isinstance(getattr(model, "params", None), Mapping):  # a TrainState of Flax, and what is made like it
        kept = {name: found for name in ("params", "batch_stats") if (found := getattr(model, name, None))}
        return _read(kept, name)
    if _is_tree(model):
        return _of_tree(model, "flax")
    raise UsageError(
        f"{name} returns {type(model).__name__}: expected a torch.nn.Module, a Keras model, a module of Flax or"
        " Equinox, or a dict or list of arrays."
    )


def _weights_in(model: Mapping[str, Any]) -> Any:
    """Of a checkpoint what holds the weights."""
    words = [*_WEIGHTS, *([_BESIDE] if any(str(key).startswith("opt") for key in model) else [])]
    return next((model[word] for word in words if isinstance(model.get(word), Mapping)), model)


def _collections(model: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Of the variables of a module of Linen what is no parameter: statistics, and collections of its own.

    Read from a file, they are arrays of NumPy; statistics are told by their name without JAX too.
    """
    if not isinstance(model.get("params"), Mapping):
        return
    jax = sys.modules.get("jax")
    arrays = (np.ndarray,) if jax is None else (np.ndarray, jax.Array)
    for name, kept in model.items():
        others = name not in _WEIGHTS and not re.match("opt|ema|rng", str(name)) and isinstance(kept, Mapping)
        known = name == _OF_LINEN or jax is not None
        if others and known and all(isinstance(leaf, arrays) for leaf in _leaves(kept)):
            yield kept


def _is_tree(model: Any) -> bool:
    """Whether this holds arrays as JAX knows it, or as a list or a tuple does."""
    jax = sys.modules.get("jax")
    leaves = list(_leaves(model)) if jax is None else jax.tree_util.tree_leaves(model)
    return bool(leaves) and leaves[0] is not model and all(hasattr(leaf, "shape") for leaf in leaves)


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


def _as_buffers(kept: Any) -> Iterator[Tensor]:
    """What is no parameter, as it lies: nothing tells that an axis of it counts units."""
    for tensor in _of_tree(kept, "flax") if kept else ():
        yield replace(tensor, values=tensor.stored, axes=(), buffer=True)


def _of_keras(model: Any) -> Iterator[Tensor]:
    # Only here: it imports Keras. Names that Keras numbers go on from build to build; there they begin anew.
    from initcheck.models.frameworks.keras_model import KerasModel

    for leaf, weight in KerasModel(model).pairs():
        if leaf.parameter or "seed_generator" not in leaf.name:
            values = np.asarray(weight.numpy() if hasattr(weight, "numpy") else weight)
            yield replace(units_first(leaf.name, "keras", values), buffer=not leaf.parameter)


def _of_tree(tree: Any, framework: str) -> Iterator[Tensor]:
    """The arrays of a tree; those of NumPy and of PyTorch as they lie, since nobody knows which axis is the units."""
    torch = sys.modules.get("torch")
    leaves = list(_in_order(tree))
    as_they_lie = all(type(leaf) is np.ndarray for _, leaf in leaves)
    seen: set[object] = set()
    for words, leaf in leaves:
        # An nnx.Param holds its array by that name; a module of that name is one of the user's.
        path = ".".join(words[:-1] if words[-1:] == ("value",) else words)
        of_torch = torch is not None and isinstance(leaf, torch.Tensor)
        if not (of_torch or as_they_lie):
            values = _values_of(leaf, path)
            if values is not None and (values.ndim or values.dtype.kind not in "iub"):
                if framework == "equinox":
                    yield Tensor(path, framework, _real(values))
                elif np.iscomplexobj(values):
                    one, two = (units_first(path, framework, part) for part in (values.real, values.imag))
                    axes = (*one.axes, values.ndim) if one.axes else ()
                    yield replace(one, values=np.stack([one.values, two.values], axis=-1), axes=axes)
                else:
                    yield units_first(path, framework, values)
            continue
        if of_torch:
            memory = (leaf.data_ptr(), leaf.shape) if leaf.numel() and not leaf.is_meta else id(leaf)
            if memory in seen:
                continue  # tied
            seen.add(memory)
        values = _numbers_of(leaf, path, torch) if of_torch else _real(leaf)
        counter = values.ndim == 0 and not (leaf.is_floating_point() if of_torch else leaf.dtype.kind in "fc")
        buffer = counter or words[-1].rpartition(".")[2] in _STATISTICS
        yield Tensor(path, OF_A_DICT, np.array(values), buffer=buffer)


def _values_of(leaf: Any, path: str) -> Array | None:
    """The numbers of a leaf; None of a key of JAX."""
    if "key<" in str(getattr(leaf, "dtype", "")):
        return None
    values = np.asarray(leaf)
    if values.dtype.kind in "OUS":
        raise UsageError(f"{path} is {type(leaf).__name__}, no array: return the weights alone.")
    return values


def _real(values: Array) -> Array:
    """Complex numbers as pairs of real ones, as PyTorch shows them."""
    return np.stack([values.real, values.imag], axis=-1) if np.iscomplexobj(values) else values


def _in_order(tree: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The leaves of a tree in the order in which its dicts hold them: JAX sorts them by name, and loses their place."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            words = (".".join(map(str, key)) if isinstance(key, tuple) else str(key).replace("/", "."),)
            yield from ((words + inner, leaf) for inner, leaf in _in_order(value))
    elif isinstance(tree, (list, tuple)):
        names = getattr(tree, "_fields", range(len(tree)))
        for key, value in zip(names, tree, strict=True):
            yield from (((str(key), *inner), leaf) for inner, leaf in _in_order(value))
    elif tree is not None:
        jax = sys.modules.get("jax")
        pairs = jax.tree_util.tree_flatten_with_path(tree)[0] if jax is not None else [((), tree)]
        for keys, leaf in pairs:
            yield tuple(str(getattr(key, "key", getattr(key, "name", getattr(key, "idx", key)))) for key in keys), leaf


def _leaves(tree: Any) -> Iterator[Any]:
    return (leaf for _, leaf in _in_order(tree))


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
