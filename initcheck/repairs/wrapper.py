"""What has no source of the user's, such as a library's own initializer, in a function around it."""

from __future__ import annotations

import dataclasses
import math
import textwrap
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.adapters.declared_samplers import WrappedSampler
from initcheck.adapters.signatures.signature import SHAPE_ROLES, slots_of
from initcheck.contract.contract import Contract
from initcheck.contract.gains import required_power
from initcheck.contract.initializer import Initializer, Shape
from initcheck.contract.layer import Layer
from initcheck.diagnosis.observed import Observed
from initcheck.errors import UsageError
from initcheck.repairs.edits.plain_draw import fan_text, number
from initcheck.repairs.edits.results import missing, rescaling
from initcheck.repairs.repair import Repair, as_declared

Array = npt.NDArray[Any]


def wrapper_for(
    initializer: Initializer, seen: Observed, contract: Contract, topics: Collection[str | None]
) -> Iterator[tuple[Repair, Initializer]]:
    """Functions around an initializer, each with the initializer that it makes.

    Args:
        initializer: what is called inside.
        seen: what its draws show.
        contract: that it is held to, and its copies too.
        topics: what the failing claims are about.
    """
    for kind, words, operation, after in _operations(initializer, seen, contract, set(topics)):
        sampler = _Changed(initializer.sampler, after, as_asked=kind == "dtype")
        copy = dataclasses.replace(
            initializer, sampler=sampler, contract=as_declared(contract), recipe=None, function=None
        )
        yield Repair(kind, words, _code(initializer, operation)), copy


def _operations(
    initializer: Initializer, seen: Observed, contract: Contract, topics: set[str | None]
) -> Iterator[tuple[str, str, str, Callable[[Array, Shape], Array]]]:
    if topics <= {"memory"}:
        yield "copy", "return a copy, which is the caller's own", ".copy()", lambda w, s: w.copy()
    if topics <= {"promises"}:
        yield "dtype", "return the dtype that was asked for", ".astype(dtype)", lambda w, s: w
        yield "axes", "the axes are exchanged", ".T", lambda w, s: w.T
    law = seen.best_law
    if not topics & {"scale", "depth", "law"} or law is None or not 0 < law.constant < math.inf:
        return
    square = missing(law, contract)
    if square is not None:
        factor, words, operation = rescaling(square)
        yield "factor", words, operation, lambda w, s: w * factor
    elif law.denominator.name in ("fan_in", "fan_out", "fan_avg") and contract.std is None:
        power = required_power(contract)
        now = Contract(fan=law.denominator.name, layout=contract.layout, groups=contract.groups)
        wanted_text = f"{number(power / law.constant)} * ({fan_text(now, 'shape', many_axes=True)})"
        operation = f" * ({wanted_text} / ({fan_text(contract, 'shape', many_axes=True)})) ** 0.5"

        def ratio(w: Array, shape: Shape) -> Array:
            layer = _layer(shape, contract)
            return w * math.sqrt(power / layer.fan(contract.fan or "fan_in") / law.variance(layer))

        yield "formula", f"the variance is {law}: another fan is promised", operation, ratio


def _code(initializer: Initializer, operation: str) -> str:
    """The function to write: it calls the original and changes what that returns."""
    name, _, args = initializer.name.partition("(")
    module, _, attribute = name.rpartition(":")
    # Of a file the function is to stand beside the original.
    name = attribute if module.endswith(".py") else name.replace(":", ".")
    short = name.rpartition(".")[2]
    called = f"{name}({args}" if args else name
    if not args and _is_factory(initializer):
        called = f"{name}()"
    if initializer.signature.startswith("(tensor") and operation[:3] in (" * ", " / "):
        method = "mul_" if operation[1] == "*" else "div_"
        fan = operation[3:].replace("shape", "tensor.shape")
        return (
            f"def {short.rstrip('_')}_mended_(tensor):\n    with torch.no_grad():\n"
            f"        return {called}(tensor).{method}({fan})"
        )
    body = f"return {called}(shape, *args, **kwargs){operation}"
    first = "shape, *args, **kwargs"
    if initializer.signature.startswith("(key"):
        body, first = f"return {called}(key, shape, *args, **kwargs){operation}", "key, shape, *args, **kwargs"
    return f"def {short}_mended({first}):\n" + textwrap.indent(body, "    ")


def _is_factory(initializer: Initializer) -> bool:
    function = initializer.function
    if isinstance(function, type):
        return True
    if function is None:
        return False
    try:
        return not any(s.role in SHAPE_ROLES for s in slots_of(function))
    except UsageError:
        return False


def _layer(shape: Shape, contract: Contract) -> Layer:
    layout = contract.layout or "out_in"
    if len(shape) == 2 and layout not in ("out_in", "in_out"):
        layout = "in_out" if layout.endswith("io") else "out_in"
    if len(shape) == 4 and layout in ("out_in", "in_out"):
        layout = "oihw" if layout == "out_in" else "hwio"
    groups = contract.groups if isinstance(contract.groups, int) else 1
    return Layer(tuple(shape), layout, groups)


@dataclass
class _Changed(WrappedSampler):
    """A sampler whose results are changed on their way out; they are NumPy arrays."""

    after: Callable[[Array, Shape], Array]
    as_asked: bool

    def to_numpy(self, result: Any) -> Array:
        """The result itself."""
        return np.asarray(result)

    def dtype_name(self, result: Any) -> str:
        """Its dtype's name."""
        return str(np.asarray(result).dtype)

    def changed(self, result: Any, shape: Shape, dtype: str) -> Array:
        """The weights changed, in the dtype that they have or that is asked for."""
        weights = np.asarray(self.inner.to_numpy(result))
        kind = _plain_dtype(dtype) if self.as_asked else weights.dtype
        return np.asarray(self.after(weights, tuple(shape))).astype(kind)


def _plain_dtype(name: str) -> Any:
    try:
        return np.dtype(name)
    except TypeError:
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, name))
