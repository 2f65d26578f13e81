"""The sizes at which a layer is built: so that a swap of axes, a group or a packed gate shows at one of them."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from initcheck.adapters import refusals
from initcheck.adapters.signatures.constructor import constructor, roles_of
from initcheck.errors import UsageError

# (inputs, outputs): both ways of a rectangle, because one way can hide a swap; a square, for what is only asked of
# squares; one input or one output. A build of 1 x 1 would take 20,000 layers for a verdict. One size is large: a mean
# is shown to be zero over millions of weights, which small layers would be built by the thousand for.
_RECTANGLES = ((32, 8), (8, 32), (64, 64), (1, 64), (64, 1), (256, 256))
_SEVERAL = ((32, 8), (8, 32), (64, 64))
_SQUARES = (16, 32, 64)
# No width a multiple of another one: an axis of 2, 3 or 4 times a declared width is a packed one.
_PROBE = (20, 12)
_INNER = 37
# The largest of a function that builds a layer: it may be a convolution.
_LARGE = (96, 96)
_HEADS = 4
_SECOND = 12
_GROUPS = 4


@dataclass(frozen=True, order=True)
class Size:
    """One way of building a layer.

    Attributes:
        arguments: the constructor's keyword arguments; of a factory its positional ones, by their place.
        inputs: width of what the layer is fed.
        outputs: declared width of what it puts out, of its hidden state, or of its rows.
        second: width of a second input; 0 where there is none.
        kernel: positions of the kernel along each axis; empty where there is none or it is not known.
        stride: of a convolution.
        probe: built only to find what each weight sums over.
        lookup: a table whose rows are looked up.
    """

    arguments: tuple[tuple[str, Any], ...]
    inputs: int
    outputs: int
    second: int = 0
    kernel: tuple[int, ...] = ()
    stride: int = 1
    probe: bool = False
    lookup: bool = False

    def __str__(self) -> str:
        said = ", ".join(f"{name}={value}" for name, value in self.arguments)
        fed = any(value == self.inputs and name not in ("kernel_size", "num_heads") for name, value in self.arguments)
        return said if fed or self.lookup else ", ".join(filter(None, (said, f"fed {self.inputs}")))


def sizes_of(cls: type, kind: str, name: str, fixed: Mapping[str, Any]) -> tuple[Size, ...]:
    """The sizes of a layer class, the probe first.

    Raises:
        UsageError: its sizes cannot be told from the names of its constructor's parameters.
    """
    roles, unknown = roles_of(cls, kind, fixed)
    implicit = kind in ("keras", "linen")  # these take the input's width from the input
    built = {"in", "hidden"} <= set(roles) or "width" in roles or "head" in roles or "heads" in roles
    built = built or ({"out"} <= set(roles) and (implicit or "in" in roles)) or (implicit and "multiplier" in roles)
    if implicit and not built and not unknown and "kernel" not in roles:
        # Nothing but its input says how wide it is: what goes in comes out as wide (highway, squeeze and excitation).
        return tuple(_of_input_alone(cls, fixed))
    if unknown and built:
        raise refusals.layer_needs(name, unknown, model=kind == "torch")
    if not built:
        missing = f"{', '.join(unknown)} must be given" if unknown else "no parameter is a width by its name"
        raise UsageError(
            f"{name} cannot be built from widths alone ({missing}); pass a function of (fan_in, fan_out) that"
            f" builds one, such as lambda fan_in, fan_out: {cls.__name__}(...)."
            f" {refusals.whole_model(name, unknown)}"
        )
    if "vocabulary" in roles:
        return tuple(
            Size(((roles["vocabulary"], rows), (roles["width"], width)), inputs=rows, outputs=width, lookup=True)
            for rows, width in ((32, 64), (8, 96), (64, 64))
        )
    if "kernel" in roles:
        return tuple(_convolutions(cls, kind, roles))
    recurrent = "hidden" in roles or ("out" in roles and _steps(cls))
    if "heads" in roles or ("width" in roles and "out" not in roles):
        widths = [(w, w) for w in _SQUARES]
        probe = (_PROBE[0], _PROBE[0])
    else:
        # A product of two inputs is large already.
        rectangles = _RECTANGLES[: -1 if "second" in roles else None]
        widths, probe = list(_SEVERAL if recurrent else rectangles), _PROBE
    sizes = [_dense(roles, *probe, probe=True)]
    return tuple(sizes + [_dense(roles, i, o) for i, o in widths])


def factory_sizes(names: tuple[str, ...], *, square: bool) -> tuple[Size, ...]:
    """The sizes of a function ``f(in_, out)``, or ``f(width)``, that builds a layer; the probe first."""
    pairs = [(w, w) for w in _SQUARES] if square else [*_RECTANGLES[:-1], _LARGE]
    probe = (_PROBE[0], _PROBE[0]) if square else _PROBE
    return tuple(
        Size(tuple(zip(names, (i, o), strict=False)), inputs=i, outputs=o, probe=(i, o) == probe)
        for i, o in (probe, *pairs)
    )


def _of_input_alone(cls: type, fixed: Mapping[str, Any]) -> Iterator[Size]:
    """Squares, of widths that its own number of groups divides: 32 is GroupNorm's unless somebody says otherwise."""
    said = {**{name: p.default for name, p in constructor(cls).items()}, **fixed}
    groups = [n for name, n in said.items() if "groups" in name and type(n) is int and n > 0]
    probe, *widths = (math.lcm(width, *groups) for width in (_PROBE[0], *_SQUARES))
    yield Size((), probe, probe, probe=True)
    yield from (Size((), width, width) for width in dict.fromkeys(widths))


def _dense(roles: Mapping[str, str], inputs: int, outputs: int, *, probe: bool = False) -> Size:
    values = {
        "in": inputs, "out": outputs, "hidden": outputs, "width": inputs, "inner": _INNER, "heads": _HEADS,
        "head": max(1, inputs // _HEADS), "second": _SECOND,
    }  # fmt: skip
    arguments = tuple((roles[role], value) for role, value in values.items() if role in roles)
    return Size(arguments, inputs, outputs, second=_SECOND if "second" in roles else 0, probe=probe)


def _convolutions(cls: type, kind: str, roles: Mapping[str, str]) -> Iterator[Size]:
    """Rectangles both ways, groups and depthwise where there is a parameter, strides where it is transposed."""
    digits = re.search(r"([123])[dD]", cls.__name__)
    told = constructor(cls)
    said = told[roles["kernel"]]
    asked = "stride" in roles and told[roles["stride"]].default is inspect.Parameter.empty
    axes = int(digits[1]) if digits else len(said.default) if isinstance(said.default, tuple) else 2
    as_tuple = _of_all_sides(said, unsaid=kind in ("linen", "nnx") or (digits is None and kind == "equinox"))
    transposed = "ranspose" in cls.__name__
    kernels = ((3, 1), (4, 2)) if transposed else ((3, 1),)

    def size(inputs: int, outputs: int, kernel: int, stride: int, **others: int) -> Size:
        values: dict[str, Any] = {"in": inputs, "out": outputs, "kernel": kernel, **others}
        if as_tuple:
            values["kernel"] = (kernel,) * axes
        if stride > 1 or asked:
            values["stride"] = (stride,) * axes if kind in ("linen", "nnx") else stride
        arguments = tuple((roles[role], value) for role, value in values.items() if role in roles)
        return Size(arguments, inputs, outputs, kernel=(kernel,) * axes, stride=stride)

    if "multiplier" in roles and "out" not in roles:  # Keras' DepthwiseConv
        for inputs in (16, 64, 512):
            yield from (size(inputs, inputs * m, 3, 1, multiplier=m) for m in (1, 2))
        return
    if "out" not in roles:  # one width for both sides, each channel alone or all of them together
        yield from (size(width, width, 3, 1, width=width) for width in (16, 32, 96))
        return
    side = {1: 96, 2: 64, 3: 24}[axes]
    for kernel, stride in kernels:
        yield from (size(i, o, kernel, stride) for i, o in ((32, 8), (8, 32), (side, side)))
    yield from (size(i, o, 3, 1) for i, o in ((1, 16), (16, 1)))
    if "groups" in roles:
        for kernel, stride in kernels:
            yield from (size(i, o, kernel, stride, groups=_GROUPS) for i, o in ((32, 8), (8, 32)))
            yield from (size(16, 16 * m, kernel, stride, groups=16) for m in (1, 2))


def _of_all_sides(kernel: inspect.Parameter, *, unsaid: bool) -> bool:
    """Whether a parameter for a kernel takes a number for each side, by its default or annotation.

    A class of the user's for torch or Keras computes with one number; those of the frameworks take one as well.
    """
    if isinstance(kernel.default, (int, tuple)):
        return isinstance(kernel.default, tuple)
    annotated = str(getattr(kernel.annotation, "__name__", kernel.annotation))
    return annotated != "int" and (unsaid or annotated.lower().startswith("tuple"))


def _steps(cls: type) -> bool:
    """Whether it is a recurrent layer of Keras, whose width is called ``units`` as a dense one's is."""
    return "recurrent_initializer" in constructor(cls) or any(
        "recurrent" in p for p in inspect.signature(cls).parameters
    )
