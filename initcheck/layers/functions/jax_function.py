"""Layers of Flax, Equinox and Keras on JAX as functions of their parameters and inputs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.adapters.frameworks.cheaply_compiled import compiled
from initcheck.adapters.frameworks.jax_init import known_contract
from initcheck.adapters.signatures.arguments import framework_module
from initcheck.contract.contract import Contract

Array = npt.NDArray[Any]

_ROWS, _OTHERS = 64, 8


class JaxFunction:
    """A pure function ``call(parameters, *args)`` of one build; ``contracts`` tells, if asked, what weights promise."""

    def __init__(
        self, layer: Any, own: Mapping[str, Any], call: Callable[..., Any], contracts: Callable[[], dict[str, Contract]]
    ) -> None:
        self.layer = layer
        self._own = dict(own)
        self._call = call
        self._contracts = contracts
        # A cell of Flax gives (carry, output).
        self.carries = type(layer).__module__.startswith("flax.") and hasattr(layer, "initialize_carry")

    def outline(self, args: Sequence[Any]) -> int:
        """How many numbers it puts out; traced, so that nothing is compiled."""
        jax = framework_module("jax")
        return int(jax.eval_shape(self._first, self._own, tuple(args)).size)

    def is_whole(self, args: Sequence[Any]) -> bool:
        """Whether its run hangs on its parameters, and on no other number of a trace that it was built in."""
        jax = framework_module("jax")
        held = jax.make_jaxpr(self._first)(self._own, tuple(args)).consts
        return not any(isinstance(constant, jax.core.Tracer) for constant in held)

    def parameters(self) -> dict[str, Array]:
        """Every parameter by name, in the order of the framework."""
        return {name: np.asarray(value) for name, value in self._own.items()}

    def contracts(self) -> dict[str, Contract]:
        """What each initializer promises, where the layer keeps it."""
        return self._contracts()

    def prepared(self) -> JaxFunction:
        """The same function, compiled as a whole: cheaper than step by step where it is run a dozen times."""
        return _Prepared(self.layer, self._own, self._call, self._contracts)

    def run_as(self, other: JaxFunction) -> JaxFunction:
        """The same function, run by what was prepared of another build that differs in its parameters alone."""
        made = _Prepared(self.layer, self._own, self._call, self._contracts)
        made._first, made._back = other._first, other._back  # type: ignore[method-assign]
        return made

    def run(self, parameters: Mapping[str, Array], args: Sequence[Any]) -> Array:
        """The first output."""
        chunks, whole = _batches(args)
        given = {name: np.asarray(a, np.float32) for name, a in parameters.items()}
        return np.concatenate([np.asarray(self._first(given, chunk)) for chunk in chunks])[:whole]

    def pull(
        self, parameters: Mapping[str, Array], args: Sequence[Any], cotangent: Array
    ) -> tuple[list[Array], dict[str, Array]]:
        """Gradients in the inputs and in the parameters."""
        chunks, whole = _batches(args)
        given = {name: np.asarray(a, np.float32) for name, a in parameters.items()}
        padding = len(framework_module("jax").tree_util.tree_leaves(chunks[0])[0]) * len(chunks) - whole
        # Where nothing is asked of the outputs of the padding, nothing of it reaches a parameter.
        cotangents = np.split(np.concatenate([cotangent, np.zeros((padding, *cotangent.shape[1:]))]), len(chunks))
        pulled = [
            self._back(given, chunk, np.asarray(part, np.float32))
            for chunk, part in zip(chunks, cotangents, strict=True)
        ]
        jax = framework_module("jax")
        inputs = [jax.tree_util.tree_leaves(of_args) for _, of_args in pulled]
        joined = [np.concatenate([np.asarray(a) for a in leaves])[:whole] for leaves in zip(*inputs, strict=True)]
        # A dictionary comes back with its keys sorted: the order by name is that of the layer.
        return joined, {name: np.asarray(sum(np.asarray(p[name]) for p, _ in pulled)) for name in parameters}

    def _back(self, parameters: Any, args: Any, cotangent: Any) -> Any:
        jax = framework_module("jax")
        return jax.vjp(self._first, parameters, args)[1](cotangent)

    def _first(self, parameters: Any, args: Any) -> Any:
        jax = framework_module("jax")
        leaves = jax.tree_util.tree_leaves(self._call(parameters, *args))
        floats = [leaf for leaf in leaves if jax.numpy.issubdtype(leaf.dtype, jax.numpy.floating)]
        if not floats:
            raise TypeError("the layer puts out no real numbers; complex ones are not judged")
        return floats[-1 if self.carries else 0]


class _Prepared(JaxFunction):
    """One whose runs are compiled; step by step where a layer looks at the numbers that it is given."""

    def __init__(self, *made: Any) -> None:
        super().__init__(*made)
        self._first = _or_plain(self._first)  # type: ignore[method-assign]
        self._back = _or_plain(self._back)  # type: ignore[method-assign]

    def prepared(self) -> JaxFunction:
        """Itself."""
        return self


def _or_plain(function: Callable[..., Any]) -> Callable[..., Any]:
    fast = compiled(function, runs_often=False)

    def call(*args: Any) -> Any:
        try:
            return fast(*args)
        except Exception:  # an error of the layer's own comes again
            return function(*args)

    return call


def _batches(args: Sequence[Any]) -> tuple[list[Any], int]:
    """The arguments in batches of one size, filled up with zeros, as every new size is compiled anew; how many."""
    jax = framework_module("jax")
    leaves, tree = jax.tree_util.tree_flatten(tuple(args))
    whole = len(leaves[0])
    step = _ROWS if leaves[0].ndim == 2 else _OTHERS
    padded = [np.concatenate([a, np.zeros((-whole % step, *a.shape[1:]), a.dtype)]) for a in map(_floats, leaves)]
    return [tree.unflatten([a[at : at + step] for a in padded]) for at in range(0, whole, step)], whole


def _floats(leaf: Any) -> Array:
    array = np.asarray(leaf)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def linen_function(module: Any, variables: Mapping[str, Any]) -> JaxFunction:
    """A Flax linen module with what its ``init`` gave."""
    rest = {name: value for name, value in variables.items() if name != "params"}
    own = dict(_flat(variables.get("params", {})))

    def call(parameters: Mapping[str, Any], *given: Any) -> Any:
        return module.apply({**rest, "params": _nested(parameters)}, *given)

    def contracts() -> dict[str, Contract]:
        found = {}
        for name in own:
            last = name.rpartition(".")[2]
            keeper = {"kernel": "kernel_init", "embedding": "embedding_init"}.get(last, f"{last}_init")
            if name.startswith("h") and last == "kernel" and hasattr(module, "recurrent_kernel_init"):
                keeper = "recurrent_kernel_init"
            found[name] = known_contract(getattr(module, keeper, None))
        return {n: c for n, c in found.items() if c is not None}

    return JaxFunction(module, own, call, contracts)


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

    def contracts() -> dict[str, Contract]:
        found = {name: known_contract(promised.get(f"{name.rpartition('.')[2]}_init")) for name in names}
        return {name: contract for name, contract in found.items() if contract is not None}

    return JaxFunction(module, dict(zip(names, (leaf for _, leaf in flat), strict=True)), call, contracts)


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

    return JaxFunction(module, dict(zip(names, (leaf for _, leaf in flat), strict=True)), call, dict)


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
