"""A model of Flax linen: a description, whose init makes the variables from a key and a batch."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen

from initcheck.errors import UsageError
from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.living.called import averages_over_devices, called_with
from initcheck.models.living.first_layers import below_rows, first_batch
from initcheck.models.living.leaves import Leaf
from initcheck.models.living.model import Layer, Living, Tap, layers_of


def linen_batch(module: Any, key: Any) -> ArrayBatch:
    """The first batch that goes through the init of a module.

    Raises:
        UsageError: none does.
    """
    tables: dict[bool, list[int]] = {}

    def takes(batch: ArrayBatch, *, whole: bool = True) -> None:
        tables.clear()

        def noted(call: Any, args: Any, kwargs: Any, context: Any) -> Any:
            if whole and args and _is_one_image(context, args[0]):
                raise ValueError(f"{context.module.name} takes a batch of {args[0].shape} for one image")
            if isinstance(context.module, linen.Embed) and context.method_name == "__call__":
                read = any(args[:1] and args[0] is given for given in (*batch.args, *batch.kwargs.values()))
                tables.setdefault(read, []).append(context.module.num_embeddings)
            return call(*args, **kwargs)

        with linen.intercept_methods(noted):
            jax.eval_shape(lambda k: linen_init(module, k, batch), key)

    told = [n for n in vars(module).values() if isinstance(n, int) and not isinstance(n, bool) and n > 1]
    try:
        batch = first_batch(module.__call__, takes, None, told)
    except UsageError as error:
        try:
            batch = first_batch(module.__call__, functools.partial(takes, whole=False), None, told)
        except UsageError:
            raise UsageError(f"{type(module).__name__} has no parameters before its init, {error}") from None
    return below_rows(batch, tables)


def _is_one_image(context: Any, x: Any) -> bool:
    """Whether a convolution is given no axis of items, which it takes for one image: as a batch of sequences is."""
    conv = context.module
    if not isinstance(conv, (linen.Conv, linen.ConvTranspose)) or context.method_name != "__call__":
        return False
    axes = len(conv.kernel_size) if isinstance(conv.kernel_size, Sequence) else 1
    return bool(np.ndim(x) < axes + 2)


def linen_init(module: Any, key: Any, batch: ArrayBatch) -> Any:
    """The variables of a module."""
    kwargs = _keywords(module, batch)
    kwargs |= _called_through(kwargs)
    return module.init(_rngs(key), *batch.args, **kwargs)


def _called_through(kwargs: dict[str, Any]) -> dict[str, Any]:
    """What has a name that init and apply have themselves is handed over inside: it is taken out of the keywords."""
    own = {name: kwargs.pop(name) for name in ("rngs",) if name in kwargs}
    return {"method": lambda module, *args, **others: module(*args, **others, **own)} if own else {}


def _rngs(key: Any) -> dict[str, Any]:
    return {"params": key, "dropout": jax.random.fold_in(key, 1)}


def _keywords(module: Any, batch: ArrayBatch) -> dict[str, Any]:
    # What is called rngs is a key for every name there, as apply takes it.
    return called_with(
        module.__call__, batch.kwargs, chance=lambda name: _Streams() if name == "rngs" else jax.random.key(0)
    )


class _Streams(dict[str, Any]):
    """Keys by name, of any name."""

    def __missing__(self, name: str) -> Any:
        return jax.random.fold_in(jax.random.key(0), sum(name.encode()))


def linen_parts(module: Any, variables: Any, kinds: Mapping[tuple[str, ...], str]) -> tuple[list[Any], LinenModel]:
    """The arrays of the variables, and the model that takes others in their place.

    Args:
        module: the description.
        variables: of its init.
        kinds: path of a module that init called -> its class.
    """
    found, tree = jax.tree_util.tree_flatten_with_path(linen.unbox(variables))
    leaves = [_leaf(tuple(str(entry.key) for entry in path), kinds) for path, _ in found]
    living = LinenModel(module, leaves, layers_of(kinds.items(), leaves), tree)
    return [array for _, array in found], living


def _takes_moments(context: Any, x: Any = None) -> bool:
    """Whether a batch norm is called that can be told to take the moments of what it is given: not of one number."""
    norm = context.module
    if not isinstance(norm, linen.BatchNorm) or context.method_name != "__call__" or x is None:
        return False
    told = "use_running_average" in inspect.signature(context.orig_method).parameters
    return told and jnp.size(x) > math.prod(np.take(x.shape, norm.axis).ravel().tolist())


class LinenModel(Living):
    """One description with its variables."""

    def __init__(self, module: Any, leaves: Sequence[Leaf], layers: Sequence[Layer], tree: Any) -> None:
        self.name = type(module).__name__
        self.leaves, self.layers = leaves, layers
        self._module, self._tree = module, tree

    def run(self, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap | None, heard: Mapping[str, Any]) -> Any:
        """Apply the module to a batch; batch norms as in training, nothing dropped."""
        variables = jax.tree.unflatten(self._tree, list(arrays))
        mutable = [name for name in variables if name != "params"]

        def told(call: Any, args: Any, kwargs: Any, context: Any) -> Any:
            if averages_over_devices(context.module):
                # The moments over an axis of devices, which is bound where it is trained: here there is one device.
                object.__setattr__(context.module, "axis_name", None)
            if _takes_moments(context, *args[:1]):
                # Whoever calls a model with train=False hands this down; it may be said in one of two places alone.
                object.__setattr__(context.module, "use_running_average", None)
                args, kwargs = args[:1], {**kwargs, "use_running_average": False}
            made = call(*args, **kwargs)
            name = ".".join(context.module.path)
            if tap is None or context.method_name != "__call__" or name not in heard:
                return made
            return tap(name, (args, kwargs), made)

        kwargs = _keywords(self._module, batch)
        kwargs |= _called_through(kwargs)
        with linen.intercept_methods(told):
            # What draws from any other stream draws from the one of "params" where there is none of its name.
            made = self._module.apply(variables, *batch.args, **kwargs, mutable=mutable, rngs=_rngs(jax.random.key(0)))
        return made[0]

    def candidates(self, shapes: Mapping[str, tuple[int, ...]]) -> Sequence[str]:
        """None but the one that its init was given."""
        return ()


def _leaf(path: tuple[str, ...], kinds: Mapping[tuple[str, ...], str]) -> Leaf:
    collection, *rest = path
    inside = tuple(rest)
    owner = kinds.get(inside[:-1], "")
    parameter = collection == "params"
    return Leaf(inside if parameter else path, owner, parameter, parameter, inputs_first=owner != "Embed")
