"""A Keras layer as a function of its parameters and inputs, on whichever backend Keras runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.adapters.frameworks.keras_init import known_contract
from initcheck.adapters.signatures.arguments import framework_module
from initcheck.contract.contract import Contract
from initcheck.layers.functions.jax_function import JaxFunction
from initcheck.layers.functions.torch_function import as_tensors, first_of, pulled

Array = npt.NDArray[Any]

_SUFFIX = "_initializer"
_NUMBER = re.compile(r"_\d+$")
# What Keras calls a variable that was given no name: by a counter of the process.
_UNNAMED = re.compile(r"variable(_\d+)?")


class KerasFunction(JaxFunction):
    """A built Keras layer; its gradients come from JAX or from torch, by Keras' backend."""

    def prepared(self) -> JaxFunction:
        """Compiled, on JAX."""
        return super().prepared() if _backend() == "jax" else self

    def run(self, parameters: Mapping[str, Array], args: Sequence[Any]) -> Array:
        """The first output."""
        if _backend() == "jax":
            return super().run(parameters, args)
        torch = framework_module("torch")
        with torch.no_grad():
            out = self._in_torch(as_tensors(torch, dict(parameters)), as_tensors(torch, tuple(args)))
        return np.asarray(out.numpy())

    def pull(
        self, parameters: Mapping[str, Array], args: Sequence[Any], cotangent: Array
    ) -> tuple[list[Array], dict[str, Array]]:
        """Gradients in the inputs and in the parameters."""
        if _backend() == "jax":
            return super().pull(parameters, args, cotangent)
        return pulled(self._in_torch, parameters, tuple(args), cotangent)

    def _in_torch(self, parameters: Mapping[str, Any], args: Sequence[Any]) -> Any:
        return first_of(framework_module("torch"), self._call(parameters, *args))


def variables_of(layer: Any) -> tuple[list[Any], list[Any]]:
    """The values of a built layer's variables: those that are trained, and the rest."""
    return [v.value for v in layer.trainable_variables], [v.value for v in layer.non_trainable_variables]


def keras_function(
    layer: Any, trained: Sequence[Any] | None = None, rest: Sequence[Any] | None = None
) -> KerasFunction:
    """A built layer as a function, which knows what the initializer of every weight promises.

    Args:
        layer: what was built.
        trained: the values of its trained variables, of another build of it; its own by default.
        rest: those of its other variables.
    """
    names, own = [], {}
    counts: dict[str, int] = {}
    for place, variable in enumerate(layer.trainable_variables):
        # Keras numbers the layers of a process: `lstm_15` is `lstm`.
        path = [_NUMBER.sub("", part) for part in variable.path.split("/")[1:-1]]
        name = ".".join((*path, _name_of(layer, variable)))
        counts[name] = counts.get(name, 0) + 1
        name = name if counts[name] == 1 else f"{name} #{counts[name]}"
        names.append(name)
        own[name] = _numpy(variable.value) if trained is None else trained[place]

    def call(parameters: Mapping[str, Any], *given: Any) -> Any:
        others = [v.value for v in layer.non_trainable_variables] if rest is None else rest
        return layer.stateless_call([parameters[n] for n in names], others, *given)[0]

    def contracts() -> dict[str, Contract]:
        found = zip(names, (_promised(layer, variable) for variable in layer.trainable_variables), strict=True)
        return {name: contract for name, contract in found if contract is not None}

    return KerasFunction(layer, own, call, contracts)


def _name_of(layer: Any, variable: Any) -> str:
    """The name that a variable was given; where it was given none, that of the attribute that holds it."""
    if not _UNNAMED.fullmatch(variable.name):
        return str(variable.name)
    held = (name for inner in layer._flatten_layers() for name, value in vars(inner).items() if value is variable)
    return next(held, "variable")


def _promised(layer: Any, variable: Any) -> Contract | None:
    """What the initializer kept for this weight promises: ``kernel`` has ``kernel_initializer``."""
    name = variable.name
    keepers = {
        "kernel": ("kernel", "depthwise"),
        "recurrent_kernel": ("recurrent",),
        "depthwise_kernel": ("depthwise",),
        "pointwise_kernel": ("pointwise",),
    }.get(name, (name,))
    for inner in layer._flatten_layers():
        if any(v is variable for v in inner._trainable_variables):
            kept = (getattr(inner, keeper + _SUFFIX, None) for keeper in keepers)
            return next((known_contract(one) for one in kept if one is not None), None)
    return None


def _backend() -> str:
    return str(framework_module("keras").backend.backend())


def _numpy(value: Any) -> Array:
    return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)
