"""Layers that have no width in the sense of a weight, such as a normalisation: built with the arguments they need."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from initcheck.adapters.frameworks.layer_weight import is_layer
from initcheck.adapters.signatures.constructor import constructor
from initcheck.layers.bench.builder import Builder, Maker
from initcheck.layers.bench.sizes import Size
from initcheck.layers.sampler import LayerSampler

_WIDTHS = (16, 64)
# What a constructor calls the width of what is normalised, and other arguments that it cannot do without.
_WIDTH_NAMES = (
    "normalized_shape", "num_features", "num_channels", "channels", "features", "size", "shape", "dim", "hidden_size",
    "input_size", "num_parameters", "axis_name_width",
)  # fmt: skip
_OTHERS = {"num_groups": 4, "groups": 4, "use_running_average": True, "approx_identity_init": False}


def bare_sampler(cls: type, name: str, args: Mapping[str, Any]) -> LayerSampler | None:
    """A sampler of a layer class that is built from one width; None where it needs what no name tells."""
    kind = is_layer(cls)
    if kind is None:
        return None
    parameters = constructor(cls)
    widths = [n for n in _WIDTH_NAMES if n in parameters and n not in args][:1]
    fixed = {n: v for n, v in _OTHERS.items() if n in parameters and n not in args}
    random = next(((n, n) for n in ("key", "rngs") if n in parameters), None)
    given = {*widths, *fixed, *args, *([random[0]] if random else [])}
    needed = [n for n, p in parameters.items() if p.default is inspect.Parameter.empty and n not in given]
    if needed:
        return None
    if kind in ("keras", "linen"):
        widths = [n for n in widths if parameters[n].default is inspect.Parameter.empty]
    sizes = tuple(Size(tuple((n, w) for n in widths), inputs=w, outputs=w) for w in _WIDTHS)
    builder = Builder(Maker(cls, name, {**fixed, **args}, random), kind)
    return LayerSampler(builder=builder, sizes=sizes)
