"""The structure of a layer at each of its sizes: its parts, their fans, and how its scale is judged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.contract.contract import Contract
from initcheck.errors import UsageError
from initcheck.layers.bench.bench import Bench
from initcheck.layers.bench.counts import (
    TermCounts,
    count,
    extent_of,
    idle_constants,
    is_linear,
    is_multilinear,
    masks,
    reached,
    support_of,
    told_apart_later,
    weights_tell,
)
from initcheck.layers.bench.feeds import LOOKUPS, NEIGHBOURS, Feed
from initcheck.layers.bench.geometry import Interior
from initcheck.layers.bench.response import is_of_degree_one, response_of, unit_outputs
from initcheck.layers.bench.sizes import Size
from initcheck.layers.bench.spans import Span, constant_axes, spans_of
from initcheck.layers.direct import inputs_of_one
from initcheck.layers.functions.layer_function import matrices
from initcheck.layers.part import Block, Part, Whole
from initcheck.layers.sampler import LayerSampler
from initcheck.sandbox.containment import InitializerRaised, contained

Shapes = Mapping[str, tuple[int, ...]]


_FEWEST = 8
# Weights of a build beyond which a size is left out where smaller ones were looked at: a verdict takes 200 builds.
_MOST = 2**22


@dataclass
class Structure:
    """What was found of a layer, with weights of ours.

    Attributes:
        parts: the weights, block by block, at every size.
        wholes: the layer at every size where no closed form tells what it does.
        interiors: of those, by the number of their size.
        geometries: where no edge shows, by the kernel that was asked and the extent of the input.
        contracts: what the initializer of a weight promises, where the layer says so.
        factors: the summed axes of weights that follow one another.
        scales: parameters that only scale another weight.
        places: the number of each weight among those of the layer.
        idle: weights of one number that reach no output; None as long as nobody looked.
        zeros: weights that start at zero, and may.
        lookup: it is a table of rows: nothing is summed.
        unscaled: weights that are multiplied by no input that was found (centres, directions): no scale is due.
        others: biases, and what else has one axis only, that are not zero: no claim is about them.
        notes: what could not be found.
        refused: sizes at which it cannot be built, with what it raised.
        answering: of a layer that is no linear map, how its scale is read off its answer to its weights: a slope, 0
            where its output is the pre-activation; None where its weights tell it.
        pool: outputs of such a layer for standard normal pre-activations: what its like is fed.
    """

    parts: list[Part] = field(default_factory=list)
    wholes: list[Whole] = field(default_factory=list)
    interiors: dict[int, Interior] = field(default_factory=dict)
    geometries: dict[tuple[tuple[int, ...], int], Interior] = field(default_factory=dict)
    contracts: dict[str, Contract] = field(default_factory=dict)
    factors: dict[str, tuple[int, ...]] = field(default_factory=dict)
    scales: set[str] = field(default_factory=set)
    places: dict[str, int] = field(default_factory=dict)
    idle: set[str] | None = None
    zeros: set[str] = field(default_factory=set)
    lookup: bool = False
    unscaled: set[str] = field(default_factory=set)
    others: dict[str, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    refused: dict[Size, InitializerRaised] = field(default_factory=dict)
    answering: float | None = None
    pool: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


def structure_of(sampler: LayerSampler) -> Structure:
    """Build the layer at each size once and find what its weights do; nothing of one that raises at every size.

    Raises:
        UsageError: it has no weight, or cannot be fed, or is of a kind that cannot be told.
    """
    found = Structure()
    spans: dict[str, Span | None] = {}
    for number, size in enumerate(sampler.sizes):
        try:
            with contained():
                _at(sampler, number, size, found, spans)
        except InitializerRaised as error:
            found.refused[size] = error
    found.parts = [part for part in found.parts if part.weight not in found.zeros]
    if not found.parts and not found.refused and found.notes:
        raise UsageError(f"{sampler.builder.name} cannot be judged as a layer: {'; '.join(found.notes)}.")
    if not found.parts and not found.refused:
        raise UsageError(f"{sampler.builder.name} builds a layer without weights: there is nothing to check.")
    return found


def _at(sampler: LayerSampler, number: int, size: Size, found: Structure, spans: dict[str, Span | None]) -> None:
    function = sampler.functions(size, [1])[0].prepared()
    shapes = {name: w.shape for name, w in matrices(function.parameters()).items()}
    if not shapes:
        return
    held = sum(map(math.prod, shapes.values()))
    if held > _MOST and found.parts:
        why = f"it holds {held:,} weights there, and a verdict takes hundreds of builds"
        found.notes[f"not judged with {size}: {why}"] = None
        return
    found.contracts.update(function.contracts())
    others = (name for name, a in function.parameters().items() if name not in shapes and np.any(a))
    found.others.update(dict.fromkeys(others))
    found.places.update({name: place for place, name in enumerate(shapes)})
    if size.lookup or _is_lookup(function.layer):
        found.lookup = True
        for name, shape in shapes.items():
            found.parts.append(_part(size, number, name, found, shape, Span((1,)), (shape[1], shape[0])))
        return
    if spans and found.answering is None:
        _several(size, number, {n: s for n, s in shapes.items() if n not in (found.idle or ())}, spans, found)
        return
    bench = Bench(function, sampler.builder.feed(size, function), size, np.random.default_rng(number))
    if found.idle is None:
        found.idle = idle_constants(bench)
        for name in sorted(found.idle):
            found.notes[f"{name} was not judged: it is one number, and reaches no output of the layer as built"] = None
        for name in masks(bench):
            found.idle.add(name)
            found.notes[f"{name} was not judged: it holds zeros and ones, as a mask of a weight of its shape"] = None
        for name in told_apart_later(bench):
            found.zeros.add(name)
            why = "it starts at zero, and the first step tells its units apart by what is beside it"
            found.notes[f"{name} was not judged: {why}"] = None
    bench.idle = found.idle
    shapes = {name: shape for name, shape in shapes.items() if name not in found.idle}
    if spans:
        _several(size, number, shapes, spans, found)
        _answering(bench, number, found)
        return
    on_graph = NEIGHBOURS in bench.feed.beside or "edges" in bench.feed.beside
    if on_graph:
        found.notes["it was fed nodes without edges: how many neighbours are summed or averaged is not judged"] = None
    # What several weights of a graph give together hangs on the graph: each is judged by itself.
    if not is_linear(bench) or (on_graph and len(shapes) > 1):
        if bench.feed.form == "image" and bench.feed.axes == 1 and bench.feed.channel_axis == -1:
            # A self-attention takes a row of positions as a sequence, which is then one of two tokens.
            bench = replace(bench, feed=Feed("tokens", bench.feed.kind))
        spans.update(spans_of(bench))
        _several(size, number, shapes, spans, found)
        if bench.feed.form == "rows" and bench.feed.copies == 1 and not bench.size.second and not on_graph:
            found.answering = _answers(bench, shapes)
            if found.answering:
                found.pool = unit_outputs(bench, found.answering)
            _answering(bench, number, found)
        return
    try:
        # Which places lie inside hangs on the kernels, not on the widths; to find them lights every slice of an image.
        geometry = (size.kernel, extent_of(bench))
        counts = count(bench, found.geometries.get(geometry))
        found.geometries[geometry] = counts.interior
    except ValueError as error:
        found.notes[f"its scale at {size} was not judged: {error}"] = None
        counts = None
    if counts is not None:
        if size.probe or not found.factors:
            # Found at widths of 4 or more: one input or one output tells nothing of the axes.
            found.factors = constant_axes(bench, counts.interior) if len(shapes) > 1 else {}
        if not size.probe:
            _linear(bench, counts, number, shapes, found)


def _linear(bench: Bench, counts: TermCounts, number: int, shapes: Shapes, found: Structure) -> None:
    size, masked = bench.size, False
    fans = (counts.fan_in, counts.fan_out)
    if min(fans) <= 0:
        fans = reached(bench, counts.interior)  # what multiplies the weight may have any sign
    if len(shapes) == 1:
        [name] = shapes
        support = support_of(bench, name, counts.interior)
        masked = support.masked
        part = _part(size, number, name, found, shapes[name], Span(support.summed), fans)
        found.parts.append(replace(part, view=support.view, masked=masked))
        if not masked and weights_tell(bench, name, counts):
            return
    elif is_multilinear(bench) and bench.feed.form == "image":
        found.parts += _factors(bench, counts, number, shapes, found)
        return
    else:
        if not found.parts and any(sorted(shape)[-2] > 1 for shape in shapes.values()):
            # The magnitudes of a weight normalisation are no weights: they are positive on purpose.
            found.scales |= {name for name, shape in shapes.items() if sorted(shape)[-2] == 1}
        for name, shape in shapes.items():
            if name in found.scales:
                continue
            # The scale is that of the whole layer; which axis is summed tells its units.
            told = found.factors.get(name, ())
            span = Span(told if 0 < len(told) < len(shape) else tuple(range(1, len(shape))))
            part = _part(size, number, name, found, shape, span, (1.0, 1.0))
            found.parts.append(replace(part, fans=(float(part.inputs), float(part.units))))
    out = np.zeros(bench.run(bench.own, bench.normal(1, counts.interior.extent)).shape)
    numbers = counts.interior.of_output(out, bench.feed.channel_axis).size
    fed = np.zeros(bench.shapes(1, counts.interior.extent)[0])
    channel = bench.feed.channel_axis
    found.wholes.append(
        Whole(
            shape=(inputs_of_one(numbers, counts.interior.places), numbers),
            size=size,
            number=number,
            fans=fans if masked else reached(bench, counts.interior),
            gradients=counts.interior.of_input(fed, channel).size,
        )
    )
    found.interiors[number] = counts.interior
    found.notes["no weight of it tells its scale by itself, so the layer is run on random inputs"] = None


def _answers(bench: Bench, shapes: Shapes) -> float | None:
    """How the scale of a layer that is no linear map is read: see ``Structure.answering``."""
    if is_of_degree_one(bench):
        return 0.0
    if len(shapes) > 1:
        return None
    response = response_of(bench, float(bench.size.inputs))
    return None if response is None or response.is_plain else response.slope


def _answering(bench: Bench, number: int, found: Structure) -> None:
    size = bench.size
    if size.probe or found.answering is None or size.outputs < _FEWEST:
        return  # a build of one output gives so few numbers that a verdict would take tens of thousands
    out = bench.run(bench.own, bench.normal(1))
    fans = (float(size.inputs), float(size.outputs))
    found.wholes.append(
        Whole(
            shape=(inputs_of_one(out.size), out.size),
            size=size,
            number=number,
            fans=fans,
            gradients=size.inputs,
            slope=found.answering,
        )
    )
    found.interiors[number] = Interior(1)
    found.notes["its weights do not tell its scale by themselves, so its answer to them is measured"] = None


def _factors(bench: Bench, counts: TermCounts, number: int, shapes: Shapes, found: Structure) -> list[Part]:
    """Weights that follow one another (separable convolution): each has fans of its own, found by its gradient."""
    parts = [
        _part(bench.size, number, name, found, shape, Span(found.factors[name]), (1.0, 1.0))
        for name, shape in shapes.items()
    ]
    parts = [replace(p, fans=(float(p.inputs), _fan_out_of(p, bench))) for p in parts]
    # The outputs that one input reaches through all of them were counted; what is too many belongs to a weight whose
    # channels are kept apart (depthwise).
    excess = math.prod(p.fans[1] for p in parts) / counts.fan_out
    apart = [p for p in parts if excess > 1.5 and p.inputs < math.prod(p.shape) and p.units % round(excess) == 0]
    if apart:
        most = max(apart, key=lambda p: len(p.summed))
        parts[parts.index(most)] = replace(most, fans=(most.fans[0], most.fans[1] / excess))
    return parts


def _fan_out_of(part: Part, bench: Bench) -> float:
    """Units times the positions of the kernel."""
    axes = bench.feed.axes
    spatial = range(len(part.shape) - axes, len(part.shape)) if bench.feed.channel_axis == 1 else range(axes)
    return float(part.units * math.prod(part.shape[a] for a in part.summed if a in spatial))


def _several(size: Size, number: int, shapes: Shapes, spans: Mapping[str, Span | None], found: Structure) -> None:
    if size.probe:
        return
    for name, shape in shapes.items():
        span = spans.get(name)
        if span is None:
            found.notes[f"{name} was not judged: its gradients do not tell what it sums over"] = None
            continue
        whole = _part(size, number, name, found, shape, span, (1.0, 1.0))
        axis, blocks = span.packed or (0, 1)
        positions = math.prod(shape[a] for a in span.kernel)
        fans = (float(whole.inputs), float(whole.units // blocks * positions))
        if span.by_shape:
            found.unscaled.add(name)
        if blocks == 1:
            found.parts.append(replace(whole, fans=fans))
            continue
        one = tuple(n // blocks if a == axis else n for a, n in enumerate(shape))
        for block in range(blocks):
            cut = Block(axis, block, blocks)
            found.parts.append(replace(whole, shape=one, view=one, fans=fans, block=cut))


def _part(
    size: Size,
    number: int,
    name: str,
    found: Structure,
    shape: tuple[int, ...],
    span: Span,
    fans: tuple[float, float],
) -> Part:
    place = found.places[name]
    return Part(
        shape=shape, size=size, number=number, weight=name, place=place, view=shape, summed=span.summed, fans=fans
    )


def _is_lookup(layer: Any) -> bool:
    return any(cls.__name__ in LOOKUPS for cls in type(layer).__mro__)
