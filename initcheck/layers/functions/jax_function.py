"""Layers of Flax, Equinox and Keras on JAX as functions of their parameters and inputs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.adapters.frameworks.jax_init import known_contract
from initcheck.adapters.signatures.arguments import framework_module
from initcheck.contract.contract import Contract

__all__ = ["JaxFunction", "equinox_function", "linen_function", "nnx_function"]

Array = npt.NDArray[Any]

_ROWS, _OTHERS = 64, 8


class JaxFunction:
    """A pure function ``call(parameters, *args)`` with the parameters of one build."""

    def __init__(
        self, layer: Any, own: Mapping[str, Any], call: Callable[..., Any], contracts: Mapping[str, Contract]
    ) -> None:
        self.layer = layer
        self._own = dict(own)
        self._call = call
        self._contracts = dict(contracts)
        # A cell of Flax gives (carry, output).
        self.carries = type(layer).__module__.startswith("flax.") and hasattr(layer, "initialize_carry")

    def parameters(self) -> dict[str, Array]:
        """Every parameter by name, in the order of the framework."""
        return {name: np.asarray(value) for name, value in self._own.items()}

    def contracts(self) -> dict[str, Contract]:
        """What each initializer promises, where the layer keeps it."""
        return self._contracts

    def run(self, parameters: Mapping[str, Array], args: Sequence[Any]) -> Array:
        """The first output."""
        jax = framework_module("jax")
        leaves, tree = jax.tree_util.tree_flatten(tuple(args))
        whole = len(leaves[0])
        step = _ROWS if leaves[0].ndim == 2 else _OTHERS
        # One batch size: every new one is compiled anew.
        padded = [
            np.concatenate([a, np.zeros((-whole % step, *a.shape[1:]), np.float32)]) for a in map(np.asarray, leaves)
        ]
        out = [
            np.asarray(self._first(dict(parameters), tree.unflatten([a[at : at + step] for a in padded])))
            for at in range(0, whole, step)
        ]
        return np.concatenate(out)[:whole]

    def pull(
        self, parameters: Mapping[str, Array], args: Sequence[Any], cotangent: Array
    ) -> tuple[list[Array], dict[str, Array]]:
        """Gradients in the inputs and in the parameters."""
        jax = framework_module("jax")
        given = jax.tree_util.tree_map(lambda a: np.asarray(a, np.float32), (dict(parameters), tuple(args)))
        _, back = jax.vjp(self._first, *given)
        of_parameters, of_args = back(np.asarray(cotangent, np.float32))
        inputs = [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(of_args)]
        # A dictionary comes back with its keys sorted: the order by name is that of the layer.
        return inputs, {name: np.asarray(of_parameters[name]) for name in parameters}

    def _first(self, parameters: Any, args: Any) -> Any:
        jax = framework_module("jax")
        leaves = jax.tree_util.tree_leaves(self._call(parameters, *args))
        floats = [leaf for leaf in leaves if jax.numpy.issubdtype(leaf.dtype, jax.numpy.floating)]
        return floats[-1 if self.carries else 0]


def linen_function(module: Any, key: Any, args: Sequence[Any]) -> JaxFunction:
    """A Flax linen module with the parameters that this key gives for these arguments."""
    variables = module.init(key, *args)
    rest = {name: value for name, value in variables.items() if name != "params"}
    own = dict(_flat(variables.get("params", {})))

    def call(parameters: Mapping[str, Any], *given: Any) -> Any:
        return module.apply({**rest, "params": _nested(parameters)}, *given)

    contracts = {}
    for name in own:
        last = name.rpartition(".")[2]
        keeper = {"kernel": "kernel_init", "embedding": "embedding_init"}.get(last, f"{last}_init")
        if name.startswith("h") and last == "kernel" and hasattr(module, "recurrent_kernel_init"):
            keeper = "recurrent_kernel_init"
        contracts[name] = known_contract(getattr(module, keeper, None))
    return JaxFunction(module, own, call, {n: c for n, c in contracts.items() if c is not None})


def nnx_function(module: Any, promised: Mapping[str, Any]) -> JaxFunction:
    """A Flax nnx module, split into its parameters and the rest; it keeps no initializer, so they are handed over."""
    nnx = sys.modules["flax.nnx"]
    jax = framework_module("jax")
    if hasattr(module, "eval"):
        module.eval()
    graph, params, rest = nnx.split(module, nnx.Param, ...)
    flat, tree = jax.tree_util.tree_flatten_with_path(params)
    names = [_dotted(path) for path, _ in flat]

    def call(parameters: Mapping[str, Any], *given: Any) -> Any:
        mine = jax.tree_util.tree_unflatten(tree, [parameters[name] for name in names])
        # Counters of random streams inside are changed by a call: each call has its own copy of them.
        copied = jax.tree_util.tree_map(lambda leaf: leaf, rest)
        return nnx.merge(graph, mine, copied)(*given)

    contracts = {name: known_contract(promised.get(f"{name.rpartition('.')[2]}_init")) for name in names}
    known = {name: found for name, found in contracts.items() if found is not None}
    return JaxFunction(module, dict(zip(names, (leaf for _, leaf in flat), strict=True)), call, known)


def equinox_function(module: Any) -> JaxFunction:
    """An Equinox module, which takes one sample: batches are mapped over."""
    jax = framework_module("jax")
    eqx = framework_module("equinox")
    module = eqx.nn.inference_mode(module)
    arrays, static = eqx.partition(module, eqx.is_inexact_array)
    flat, tree = jax.tree_util.tree_flatten_with_path(arrays)
    names = [_dotted(path) for path, _ in flat]

    def call(parameters: Mapping[str, Any], *given: Any) -> Any:
        mine = jax.tree_util.tree_unflatten(tree, [parameters[name] for name in names])
        return jax.vmap(eqx.combine(mine, static))(*given)

    return JaxFunction(module, dict(zip(names, (leaf for _, leaf in flat), strict=True)), call, {})


def _dotted(path: Sequence[Any]) -> str:
    keys = [str(getattr(k, "key", getattr(k, "name", getattr(k, "idx", k)))) for k in path]
    keys = [k.lstrip(".") for k in keys]
    return ".".join(keys[:-1] if keys[-1] == "value" and len(keys) > 1 else keys)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in tree.items():
        found += _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [(f"{prefix}{key}", value)]
    return found


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = name.split(".")
        branch = tree
        for step in path:
            branch = branch.setdefault(step, {})
        branch[last] = value
    return tree
