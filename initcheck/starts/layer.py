"""The parameters of a layer of any of five frameworks, each with its law: built at several sizes and from seeds."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.errors import UsageError
from initcheck.layers.bench.sizes import Size
from initcheck.layers.fans import structure_of
from initcheck.layers.sampler import LayerSampler
from initcheck.models.provenance.law import Law
from initcheck.sandbox.containment import InitializerRaised, contained
from initcheck.sandbox.global_generators import isolated
from initcheck.starts.parameter_law import ParameterLaw, Sample, fitted
from initcheck.starts.schemes import beside_pytorch, is_recurrent, scheme_name
from initcheck.starts.source_line import source_line, written_at

Array = npt.NDArray[np.float64]
Fans = Mapping[str, tuple[float, float]]

_ENTRIES = 40_000  # of a parameter at one size, from this many builds at least:
_FEWEST, _MOST = 3, 24
_SIZES = 3
_ONE_ENTRY = 0.5
_OURS = str(Path(__file__).parents[1]) + os.sep
_FAR, _NEAR_TWO = 6.0, 0.01


def laws_of_layer(sampler: LayerSampler, *, measured: bool = True) -> list[ParameterLaw]:
    """The law of every parameter, in the framework's order.

    Args:
        sampler: builds the layer.
        measured: whether what each weight truly sums over is found by running the layer; else the fans are those that
            the framework's helper would read off the shape.

    Raises:
        UsageError: it cannot be built at any size.
    """
    sizes = [s for s in sampler.sizes if not s.probe and min(s.inputs, s.outputs) > 1][:_SIZES] or list(sampler.sizes)
    true = _true_fans(sampler, sizes) if measured else {}
    samples: dict[str, list[Sample]] = {}
    over: dict[str, str] = {}
    problem: InitializerRaised | None = None
    for size in sizes:
        try:
            with contained():
                _read(sampler, size, true.get(size, {}), samples, over)
        except InitializerRaised as error:
            problem = error
    if not samples:
        why = f"it raises {problem}" if problem is not None else "it holds no parameter that is an array of numbers"
        raise UsageError(f"{sampler.builder.name} cannot be read as a layer: {why}.")
    target = sampler.builder.maker.target
    cls = target if isinstance(target, type) and sampler.builder.maker.then is None else None
    owners = _owners(sampler, sizes[0]) if sampler.builder.kind == "torch" else {}
    named = [
        _named(fitted(name, found), cls, sampler.builder.name, owners.get(name), found)
        for name, found in samples.items()
    ]
    return [dataclasses.replace(law, source=over.get(law.name, law.source)) for law in named]


def _owners(sampler: LayerSampler, size: Size) -> dict[str, type]:
    """The class of the module inside a layer of PyTorch that each parameter belongs to."""
    [function] = sampler.functions(size, [1])
    layer = function.layer
    return {name: type(layer.get_submodule(name.rpartition(".")[0])) for name, _ in layer.named_parameters()}


def _named(
    law: ParameterLaw, cls: type | None, layer: str, owner: type | None, samples: Sequence[Sample]
) -> ParameterLaw:
    shown = cls.__name__ if cls is not None else layer
    called = scheme_name(law)
    if law.fan == "fan_in" and all(s.fans.get("fan_in") == s.fans.get("fan_out") for s in samples):
        # Of what is square at every width two schemes are one law.
        other = scheme_name(dataclasses.replace(law, fan="fan_avg"))
        called = " or ".join(dict.fromkeys(name for name in (called, other) if name))
    return dataclasses.replace(
        law,
        called=called,
        source=source_line(cls, law.name, owner),
        beside=beside_pytorch(shown, law),
    )


def _read(
    sampler: LayerSampler, size: Size, true: Fans, samples: dict[str, list[Sample]], over: dict[str, str]
) -> None:
    [first] = _parameters(sampler, size, [1])
    entries = max(sum(a.size for a in first.values()), 1)
    builds = max(_FEWEST, min(_MOST, math.ceil(_ENTRIES / entries)))
    several = [first, *_parameters(sampler, size, range(2, builds + 1))]
    exact = _exact_stds(sampler, size, over)
    recurrent = is_recurrent(getattr(sampler.builder.maker.target, "__name__", sampler.builder.name))
    for name, array in first.items():
        fans = _fans(name, first, true, size, sampler.builder.kind, recurrent)
        values = [np.asarray(p[name], dtype=np.float64) for p in several]
        if array.size and all(np.isfinite(v).all() for v in values):
            std, family = exact.get(name, (None, ""))
            samples.setdefault(name, []).append(
                Sample(f"at {size}" if size.arguments else "as it is", values, fans, std, family)
            )


def _parameters(sampler: LayerSampler, size: Size, seeds: Sequence[int]) -> list[dict[str, Array]]:
    functions = sampler.functions(size, list(seeds))
    return [{name: np.array(a, dtype=np.float64) for name, a in f.parameters().items()} for f in functions]


def _true_fans(sampler: LayerSampler, sizes: Sequence[Size]) -> dict[Size, Fans]:
    """What each weight sums over, found with weights of ours; nothing where it cannot be found."""
    probes = [s for s in sampler.sizes if s.probe]
    small = dataclasses.replace(sampler, sizes=(*probes, *sizes))
    try:
        with contained():
            parts = structure_of(small).parts
    except (UsageError, InitializerRaised):
        return {}
    found: dict[Size, dict[str, tuple[float, float]]] = {}
    for part in parts:
        found.setdefault(part.size, {})[part.weight] = part.fans
    # A weight that another number scales passes on less than one entry: what it sums over then shows in its shape.
    scaled = {part.weight for part in parts if 0 < max(part.fans) < _ONE_ENTRY}
    found = {size: {n: f for n, f in fans.items() if n not in scaled} for size, fans in found.items()}
    # Of a weight whose fans are known at some sizes alone, nothing is said to be true.
    everywhere = set.intersection(*(set(fans) for fans in found.values())) if len(found) == len(sizes) else set()
    return {size: {name: fans[name] for name in everywhere} for size, fans in found.items()}


def _fans(
    name: str, parameters: Mapping[str, Array], true: Fans, size: Size, kind: str, recurrent: bool
) -> dict[str, float]:
    """What a variance may be divided by at this size, the true fans first."""
    weight = name if parameters[name].ndim >= 2 and "bias" not in name.lower() else _weight_of(name, parameters)
    fans: dict[str, float] = {}
    if weight is None:
        return fans
    shape = parameters[weight].shape
    if "embed" in weight.lower() and kind != "torch":
        return {"width": float(shape[-1])}
    in_, out = _of_shape(shape, kind)
    if kind in ("linen", "nnx") and len(shape) == 3 and re.search(r"query|key|value", weight):
        # A projection onto heads is drawn as a matrix, and shaped afterwards.
        in_, out = float(shape[0]), float(shape[1] * shape[2])
    fan_in, fan_out = true.get(weight, (in_, out))
    if (fan_in, fan_out) == (out, in_) and len(shape) == 2 and kind not in ("torch", "equinox"):
        # A matrix between two others of the layer shows its sides in the wrong order; its framework has one alone.
        fan_in, fan_out = in_, out
    fans |= {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    fans |= {"the shape's fan_in": in_, "the shape's fan_out": out, "the shape's fan_avg": (in_ + out) / 2}
    if size.second:
        # The second input is as wide at every size: a constant of the product of both would be an accident.
        fans = {"in1": float(size.inputs), **fans}
    if recurrent:
        fans = {"hidden": float(size.outputs), **fans}
    if size.lookup:
        fans["width"] = float(shape[-1])
    return fans


def _of_shape(shape: tuple[int, ...], kind: str) -> tuple[float, float]:
    """The fans as the framework's helper counts them."""
    if kind in ("torch", "equinox"):
        return float(math.prod(shape[1:])), float(shape[0] * math.prod(shape[2:]))
    return float(math.prod(shape[:-1])), float(shape[-1] * math.prod(shape[:-2]))


def _weight_of(name: str, parameters: Mapping[str, Array]) -> str | None:
    """The weight that a bias stands beside: of the most alike name, else the first."""
    weights = [n for n, a in parameters.items() if a.ndim >= 2 and "bias" not in n.lower()]
    wanted = name.lower().replace("bias", "weight")
    same = [w for w in weights if w.lower() in (wanted, wanted.replace("weight", "kernel"))]
    near = [w for w in weights if w.rpartition(".")[0] == name.rpartition(".")[0]]
    return next(iter([*same, *near, *weights]), None)


def _exact_stds(sampler: LayerSampler, size: Size, over: dict[str, str]) -> dict[str, tuple[float | None, str]]:
    """The standard deviations and families that calls of PyTorch, or the initializers of Keras, name in one build.

    ``over`` is given the line of each parameter that was written over what its own class had put there: no source of
    that class says what it starts from.
    """
    if sampler.builder.kind == "keras":
        return _of_keras(sampler, size)
    if sampler.builder.kind != "torch":
        return {}
    from initcheck.models.builds.torch_build import ModelBuilder  # imports PyTorch: only for a layer of its own

    make: Callable[[], Any] = lambda: sampler.builder.maker.make(size, 1)  # noqa: E731
    records = ModelBuilder(make, sampler.builder.name).build(1, traced=True).records
    for name, r in records.items():
        # A line of ours is where the layer was asked for: its own class wrote, and says so in its source.
        if r.parameter and r.lost and r.law.site is not None and not r.law.site[0].startswith(_OURS):
            over[name] = written_at(*r.law.site)
    return {
        name: (r.law.std, _family_of(r.law)) for name, r in records.items() if r.parameter and r.law.std and not r.later
    }


def _of_keras(sampler: LayerSampler, size: Size) -> dict[str, tuple[float | None, str]]:
    from initcheck.models.lineage.keras_weights import noted_weights  # imports Keras: only for a layer of its own

    # By itself: of builds that one compiled function made no layer asks for its weights.
    with noted_weights() as noted, isolated(1), contained():
        function = sampler.builder.build(size, 1)
    laws = [noted.laws.get(id(variable)) for variable in function.layer.trainable_variables]
    named = zip(function.parameters(), laws, strict=True)
    return {name: (law.std, _family_of(law)) for name, law in named if law is not None and law.named}


def _family_of(law: Law) -> str:
    """The family of a traced law; a cut beyond every weight is none, and one at another place than two is measured."""
    if law.family != "truncated_normal" or not law.sigma:
        return law.family
    cut = min(abs(law.low), abs(law.high)) / law.sigma
    return "normal" if cut > _FAR else law.family if abs(cut - 2) < _NEAR_TWO else ""
