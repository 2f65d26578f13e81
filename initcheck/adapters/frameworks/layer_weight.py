"""Layer classes as initializers of their weight: built at the widths a shape asks for, the weight read."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

from initcheck.adapters.frameworks.arrays import is_array
from initcheck.adapters.signatures.arguments import Unfit, framework_module
from initcheck.adapters.signatures.constructor import constructor, roles_of
from initcheck.adapters.signatures.frameworks import is_instance_of
from initcheck.adapters.signatures.signature import Slot
from initcheck.errors import UsageError, closest

_BASES = (
    # Before torch: on that backend a Keras layer is a torch module too.
    ("keras", "keras.src.layers.layer", "Layer"),
    ("torch", "torch.nn", "Module"),
    ("linen", "flax.linen", "Module"),
    ("nnx", "flax.nnx", "Module"),
    ("equinox", "equinox", "Module"),
)
FRAMEWORK = {"torch": "torch", "keras": "keras", "linen": "flax", "nnx": "flax", "equinox": "equinox"}


def is_layer(obj: Any) -> str | None:
    """``torch``, ``keras``, ``linen``, ``nnx`` or ``equinox`` where it is a layer of theirs."""
    return next((kind for kind, module, name in _BASES if is_instance_of(obj, module, name)), None)


def layer_function(cls: type, name: str) -> tuple[Callable[..., Any], tuple[Slot, ...], str]:
    """A function from widths to a layer, its slots, and the framework whose values they take.

    Raises:
        UsageError: its widths cannot be told from the names of its parameters.
    """
    kind = is_layer(cls)
    assert kind is not None
    roles = {r: n for r, n in roles_of(cls, kind)[0].items() if r in ("in", "out", "kernel", "rngs", "key")}
    if kind in ("keras", "linen"):
        # These take the number of inputs from the shape of their input.
        roles["in"] = "inputs"
    if not {"in", "out"} <= set(roles):
        raise UsageError(
            f"{name} is a layer whose widths cannot be told from the names of its parameters"
            f" ({', '.join(constructor(cls)) or 'none'}); pass a function (fan_in, fan_out) that builds one."
        )
    wanted = [role for role in ("in", "out", "kernel", "rngs", "key") if role in roles]
    if kind == "linen":
        wanted.append("key")
        roles["key"] = "key"
    slots = [Slot(roles[role], role, keyword=True) for role in wanted]
    build = {"keras": _build_keras, "linen": _build_linen}.get(kind, _build)
    digits = re.search(r"([123])[dD]", cls.__name__)

    def made(**widths: Any) -> Any:
        kernel = widths.get(roles.get("kernel", ""), ())
        if digits is not None and len(kernel) != int(digits[1]):
            raise Unfit(f"{name} has a kernel of {digits[1]} axes, not {len(kernel)}.")
        return build(cls, **widths)

    return made, tuple(slots), FRAMEWORK[kind]


def matrices_of(layer: Any) -> dict[str, Any]:
    """The weights of a layer by name: arrays of two axes or more that are no bias."""
    return {name: value for name, value in _named(layer) if len(value.shape) >= 2 and "bias" not in name}


def weight_of(layer: Any, parameter: str | None) -> Any:
    """The weight of that name, or the only one.

    Raises:
        UsageError: there is no weight of that name; the sentence names the closest.
    """
    found = matrices_of(layer)
    if parameter is None:
        return next(iter(found.values()))
    if parameter not in found:
        raise UsageError(f"parameter={parameter!r}: the layer has no such weight; {closest(parameter, found)}")
    return found[parameter]


def _named(layer: Any) -> Iterator[tuple[str, Any]]:
    kind = is_layer(layer)
    if kind == "torch":
        yield from ((name, p.detach()) for name, p in layer.named_parameters())
    elif kind == "keras":
        yield from ((w.path.rpartition("/")[2], w.value) for w in layer.weights)
    elif isinstance(layer, dict):
        for key, value in layer.items():
            if isinstance(value, dict):
                yield from ((f"{key}.{name}", array) for name, array in _named(value))
            elif is_array(value):
                yield str(key), value
    else:
        tree = framework_module("jax").tree_util
        if kind == "nnx":
            nnx = sys.modules["flax.nnx"]
            layer = nnx.state(layer, nnx.Param)
        for path, leaf in tree.tree_flatten_with_path(layer)[0]:
            if is_array(leaf):
                keys = [str(getattr(k, "key", getattr(k, "name", getattr(k, "idx", k)))) for k in path]
                yield ".".join(k for k in keys if k != "value"), leaf


def _build(cls: type, **widths: Any) -> Any:
    return cls(**widths)


def _build_keras(cls: type, **widths: Any) -> Any:
    inputs, kernel = widths.pop("inputs"), widths.get("kernel_size", ())
    layer: Any = cls(**widths)
    layer.build((None, *(n + 2 for n in kernel), inputs))
    return layer


def _build_linen(cls: type, **widths: Any) -> Any:
    inputs, key, kernel = widths.pop("inputs"), widths.pop("key"), widths.get("kernel_size", ())
    numpy = framework_module("jax.numpy")
    built: Any = cls(**widths)
    example = numpy.zeros((1, *(n + 2 for n in kernel), inputs))
    return dict(built.init(key, example)["params"])
