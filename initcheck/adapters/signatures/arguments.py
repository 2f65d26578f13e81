"""The value that a parameter of each role is given, for one shape, seed and dtype."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from initcheck.adapters.signatures.signature import Slot
from initcheck.errors import UsageError

# Of the layer behind the one that is asked for.
_NEXT_WIDTH = 3
# Of training: weights that are not the same at both depend on it, and its user is asked.
_RATES = {"rate": 0.01, "another_rate": 0.02}


class Unfit(ValueError):
    """A shape that this way of calling cannot ask for, such as three axes of ``f(fan_in, fan_out)``."""


def framework_module(name: str) -> ModuleType:
    """A framework that the target loaded already, or that is installed.

    Raises:
        UsageError: it is absent; the sentence says how to install it.
    """
    import importlib

    loaded = sys.modules.get(name)
    if loaded is not None:
        return loaded
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UsageError(absent(name)) from error


def absent(name: str) -> str:
    """The sentence for a framework that is not installed."""
    return f'{name} is not installed; install it with: pip install "initcheck[{name}]"'


def random_value(role: str) -> Callable[[int], Any]:
    """How a generator, key or seed of that role is made of a whole number; always a fresh one."""
    match role:
        case "rng":
            return np.random.default_rng
        case "random_state":
            return np.random.RandomState
        case "python_random":
            return random.Random
        case "torch_generator":
            generator = framework_module("torch").Generator
            return lambda seed: generator().manual_seed(seed)
        case "key":
            return _jax_key
        case "rngs":
            framework_module("flax")
            rngs = framework_module("flax.nnx").Rngs
            return lambda seed: rngs(seed)
        case _:
            return lambda seed: int(seed)


def _jax_key(seed: int) -> Any:
    return framework_module("jax").random.key(seed)


def constant_value(slot: Slot, shape: Sequence[int], dtype: str, framework: str, layout: str | None) -> Any:
    """What a parameter that depends on shape and dtype alone is given.

    Raises:
        Unfit: the shape cannot be asked for that way.
    """
    shape = tuple(shape)
    match slot.role:
        case "shape":
            return framework_module("torch").Size(shape) if framework == "torch" else shape
        case "dims":
            return shape
        case "dtype":
            return dtype_value(dtype, framework)
        case "dtype_name":
            return dtype
        case "widths":
            return [_width(shape, "i", layout), _width(shape, "o", layout)]
        case "rows":
            return _axis(shape, 0)
        case "cols":
            return _axis(shape, 1)
        case "label":
            return "weight"
        case "next":
            return _NEXT_WIDTH
        case "rate" | "another_rate":
            return _RATES[slot.role]
        case "side":
            if len(shape) != 2 or shape[0] != shape[1]:
                raise Unfit(f"shape {shape} is no square, and this initializer is asked for one side.")
            return shape[0]
        case "in":
            return _width(shape, "i", layout)
        case "out":
            return _width(shape, "o", layout)
        case "hidden_widths":
            return [_width(shape, "o", layout)]
        case "fan_in":
            return math.prod(shape[1:]) if len(shape) > 1 else math.prod(shape)
        case "fan_out":
            return shape[0] * math.prod(shape[2:]) if len(shape) > 1 else math.prod(shape)
        case "kernel" | "kernel_side" | "square_kernel" | "kernel_depth" | "kernel_height" | "kernel_width":
            positions = [n for n, axis in zip(shape, _axes(shape, layout), strict=True) if axis not in "io"]
            if not positions:
                raise Unfit(f"shape {shape} has no kernel to pass as {slot.name!r}.")
            if slot.role == "kernel_side":
                if len(set(positions)) > 1:
                    raise Unfit(f"shape {shape} has no one side to pass as {slot.name!r}.")
                return positions[0]
            if slot.role == "square_kernel":
                # That a number is a side no name says: seen twice in the shape of the result, it is one.
                if len(positions) < 2 or len(set(positions)) > 1:
                    raise Unfit(f"shape {shape} has no square kernel to pass the side of as {slot.name!r}.")
                return positions[0]
            if slot.role != "kernel":
                place = ("kernel_width", "kernel_height", "kernel_depth").index(slot.role)
                if len(positions) not in (2, 3) or place >= len(positions):
                    raise Unfit(f"shape {shape} has no axis to pass as {slot.name!r}.")
                return positions[-1 - place]
            # Keywords are those of layer classes, where a number may mean one axis and not all.
            return positions[0] if len(positions) == 1 and not slot.keyword else tuple(positions)
    raise UsageError(f"parameter {slot.name!r}: role {slot.role!r} has no value.")


def dtype_value(dtype: str, framework: str) -> Any:
    """A dtype by its NumPy name as the framework wants it."""
    if framework == "torch":
        return torch_dtype(dtype)
    if framework == "jax":
        return getattr(framework_module("jax.numpy"), dtype)
    if framework == "keras":
        return dtype
    try:
        # The class, as users write it: it makes a number of that kind too, which an instance of np.dtype does not.
        return np.dtype(dtype).type
    except TypeError:
        return getattr(framework_module("ml_dtypes"), dtype)


def torch_dtype(dtype: str) -> Any:
    """``torch.bfloat16`` of ``"bfloat16"``.

    Raises:
        Unfit: torch has no such dtype.
    """
    found = getattr(framework_module("torch"), dtype, None)
    if found is None:
        raise Unfit(f"torch has no dtype {dtype!r}.")
    return found


def _axis(shape: tuple[int, ...], axis: int) -> int:
    if len(shape) != 2:
        raise Unfit(f"shape {shape} is no matrix, and this initializer is asked for rows and columns.")
    return shape[axis]


def _axes(shape: tuple[int, ...], layout: str | None) -> str:
    axes = {"out_in": "oi", "in_out": "io"}.get(layout or "in_out", layout or "io")
    if len(axes) != len(shape):
        raise Unfit(f"shape {shape} has {len(shape)} axes, and this initializer makes {len(axes)}: {axes}.")
    return axes


def _width(shape: tuple[int, ...], letter: str, layout: str | None) -> int:
    return shape[_axes(shape, layout).index(letter)]
