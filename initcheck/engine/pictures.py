"""What a failing claim shows of the weights: drawn once, where it fails, for the pictures of the report."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.claims.statement import Claim
from initcheck.claims.subject import Subject
from initcheck.claims.trial import NotAsked, body_of
from initcheck.contract.case import Case
from initcheck.contract.layer import Layer
from initcheck.contract.second_moments import nonlinearity
from initcheck.draws.call import BrokenCall, OutOfTime
from initcheck.draws.first_gradients import OUTPUTS, first_gradients
from initcheck.draws.streams import PICTURE
from initcheck.engine.trials.onlookers import Look
from initcheck.report.verdict import Evidence

Floats = npt.NDArray[np.float64]
SeriesData = dict[str, list[Any]]

_BINS = 40
_HISTOGRAM_WEIGHTS = 8_192
_HISTOGRAM_CALLS = 512
_SINGULAR_VALUES = 64
_SIDE = 256
_UNITS = (8, 32)
_WIDTHS = 24
_LARGEST = 2**16
# The laws that a histogram can be held against (initcheck.rendering.html.densities).
_LAWS = ("normal", "uniform", "laplace", "truncated_normal")


def failure_series(claim: Claim, subject: Subject, failed: Evidence) -> Evidence:
    """The evidence of a failure, with the series that the claim's ``pictures`` ask for beside its own.

    Nothing of it bears on the verdict: that is decided. What cannot be drawn is left out.
    """
    # Weights may be anything: what overflows is left out of a picture.
    with np.errstate(all="ignore"):
        series: SeriesData = dict(failed.series)
        for name in claim.pictures:
            try:
                found = PICTURES[name](claim, subject, failed)
            except (BrokenCall, NotAsked, OutOfTime, np.linalg.LinAlgError):
                continue
            for key, rows in found.items():
                series[key] = [*rows, *series.get(key, [])]
    return dataclasses.replace(failed, series=series)


def _variance_by_width(claim: Claim, subject: Subject, failed: Evidence) -> SeriesData:
    """One glance at every width that the claim is asked of: whether it fails everywhere, or from where on."""
    look = Look(subject)
    body = body_of(claim)
    plan = [a for a in subject.plan_of(claim) if a.weights <= _LARGEST]
    for layer in plan[:: max(1, math.ceil(len(plan) / _WIDTHS))]:
        try:
            body(look, layer=layer)
        except (BrokenCall, NotAsked):
            continue
    rows = [row for e in look.decided for row in e.series.get("variance_by_width", []) if math.isfinite(row[1])]
    return {"variance_by_width": rows} if rows else {}


def _histogram(claim: Claim, subject: Subject, failed: Evidence) -> SeriesData:
    """The weights of the failing layer in 40 bins, with the law that was promised where one was."""
    layer = _layer(subject, failed)
    dtype = subject.contract.dtypes[0]
    calls = min(_HISTOGRAM_CALLS, math.ceil(_HISTOGRAM_WEIGHTS / layer.weights))
    values = np.asarray(subject.draws.sample(layer, dtype, PICTURE, calls), dtype=np.float64).ravel()
    values = values[np.isfinite(values)]
    if not values.size:
        return {}
    # A few huge weights would leave one bin for all the others: the law is seen in the middle.
    low, middle, high = (float(v) for v in np.quantile(values, [0.005, 0.5, 0.995]))
    reach = 1.6 * max(high - middle, middle - low) or max(abs(middle), 1.0) / 20
    edges = np.linspace(max(values.min(), middle - reach), min(values.max(), middle + reach), _BINS + 1)
    if edges[0] == edges[-1]:
        edges = np.array([middle - reach, middle + reach])
    counts, edges = np.histogram(values, edges)
    cut = [float(f"{edge:.5g}") for edge in edges]
    rows = [[a, b, int(n)] for a, b, n in zip(cut, cut[1:], counts, strict=False) if a < b]
    std = float(values.std())
    contract = subject.contract_of(layer)
    promised = contract.origins.get("distribution") != "inferred" and contract.base("distribution") in _LAWS
    law: SeriesData = {"law": [contract.distribution, float(f"{std:.4g}")]} if promised and std > 0 else {}
    return {"histogram": rows, **law}


def _singular_values(claim: Claim, subject: Subject, failed: Evidence) -> SeriesData:
    """Those of one result, against Marchenko and Pastur's law or, of an orthogonal promise, the gain."""
    layer = _layer(subject, failed)
    if min(layer.units, layer.inputs) < 8:
        matrices = [a for a in subject.domain.plan if min(a.units, a.inputs) >= 8]
        layer = next((a for a in reversed(matrices) if max(a.units, a.inputs) <= _SIDE), layer)
    if max(layer.units, layer.inputs) > 4 * _SIDE:
        return {}
    matrix = subject.draws.sample(layer, subject.contract.dtypes[0], PICTURE, 1)[0].astype(np.float64)
    values = np.linalg.svd(matrix, compute_uv=False)
    values[values < 1e-9 * values[0]] = 0.0
    count = min(len(values), _SINGULAR_VALUES)
    kept = [float(f"{values[int((k + 0.5) * len(values) / count)]:.4g}") for k in range(count)]
    contract = subject.contract_of(layer)
    if contract.base("distribution") == "orthogonal":
        gain = contract.gain if contract.gain is not None else nonlinearity(contract).gain
        return {"singular_values": kept, "singular_law": ["constant", float(f"{gain:.4g}")]}
    std = float(f"{math.sqrt(float(np.mean(matrix**2))):.4g}")
    return {"singular_values": kept, "singular_law": ["marchenko-pastur", layer.units, layer.inputs, std]}


def _gradient_ties(claim: Claim, subject: Subject, failed: Evidence) -> SeriesData:
    """Distances between the first gradients of 8 to 32 units: of the failing layer, or of one that is large enough."""
    own = _layer(subject, failed)
    sized = [a for a in subject.plan_of(claim) if _UNITS[0] <= a.units <= _UNITS[1] and a.groups == 1]
    for layer in ([] if own.units >= _UNITS[0] else sized) + [own]:
        above = subject.domain.above(layer, OUTPUTS)
        if above is None:
            continue
        _, gradients = next(first_gradients(subject.draws, subject.contract, layer, *above, PICTURE, 1))
        distances = _apart(gradients[0])[: _UNITS[1], : _UNITS[1]]
        if layer == own or (distances[~np.eye(len(distances), dtype=bool)] < 1e-6).any():
            return {"gradient_ties": [[float(f"{d:.3g}") for d in row] for row in distances.tolist()]}
    return {}


def _apart(gradient: Floats) -> Floats:
    """|g_i - g_j| / sqrt(|g_i|^2 + |g_j|^2), at most 1: 0 of equal rows, 1 of unrelated ones."""
    largest = float(np.abs(gradient).max())
    rows = gradient / largest if largest > 0 else gradient
    between = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    energy = (rows**2).sum(axis=1)
    size = np.sqrt(energy[:, None] + energy[None])
    # Rounding tells no units apart, and neither does the division of zero by zero.
    relative: Floats = np.divide(between, size, out=np.zeros_like(between), where=size > 1e-12)
    return np.where(relative < 1e-9, 0.0, np.minimum(relative, 1.0))


def _layer(subject: Subject, failed: Evidence) -> Case:
    """The failing layer, or the middle one of the plan where the evidence names none."""
    plan = subject.domain.plan
    for layer in plan:
        # Several weights of a built layer have one shape; the words of the case tell them apart.
        if failed.case == layer.described(failed.dtype or subject.contract.dtypes[0]):
            return layer
    for layer in (*plan, *subject.domain.exact):
        if failed.shape is not None and layer.shape == tuple(failed.shape):
            return layer
    if failed.shape is not None and len(failed.shape) == 2:
        return Layer(tuple(failed.shape), subject.domain.layouts[0])
    return plan[len(plan) // 2]


PICTURES: Mapping[str, Callable[[Claim, Subject, Evidence], SeriesData]] = {
    "variance_by_width": _variance_by_width,
    "histogram": _histogram,
    "singular_values": _singular_values,
    "gradient_ties": _gradient_ties,
}
"""What a claim may ask for under ``pictures``: the name of the series -> how it is drawn."""
