"""What the draws of one weight of a layer show, for the rules that read causes off draws."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from initcheck.contract.contract import Contract
from initcheck.contract.layer import Layer
from initcheck.diagnosis.causes import Cause
from initcheck.diagnosis.evidence.probe import Array, Probe
from initcheck.diagnosis.observed import Observed
from initcheck.draws.call import BrokenCall
from initcheck.draws.streams import SCREEN
from initcheck.layers.draws import LayerDraws
from initcheck.layers.fans import Structure
from initcheck.layers.part import Part
from initcheck.report.verdict import Evidence

_CALLS = 8


@dataclass(frozen=True, kw_only=True)
class _ObservedWeight(Observed):
    """A weight at the sizes of its layer, as matrices of one row a unit.

    Attributes:
        drawn: shape -> matrices of it.
    """

    drawn: Mapping[tuple[int, ...], tuple[Array, ...]] = field(default_factory=dict)

    @functools.cached_property
    def probe(self) -> Probe:
        """What was drawn: a layer is built at no other size."""
        return Probe(self.drawn)


def observed_weight(
    structure: Structure, draws: LayerDraws, part: Part, contract: Contract, topic: str, failed: Evidence
) -> Observed | None:
    """What is known of a weight of which a claim failed; None where it cannot be drawn."""
    dtype = contract.dtypes[0]
    parts = [p for p in structure.parts if p.weight == part.weight and p.block == part.block]

    def draw(shape: tuple[int, ...], seed: int) -> Array:
        """The matrix of these sides, else a corner of the smallest that has it."""
        units, inputs = shape
        wide = [p for p in parts if p.units >= units and p.inputs >= inputs]
        if not wide:
            raise ValueError(f"the layer is built with no weight of {units} units and {inputs} inputs.")
        nearest = min(wide, key=lambda p: p.units * p.inputs)
        return nearest.as_units(draws.arrays(nearest, dtype, [seed])[0])[:units, :inputs]

    found: dict[tuple[int, ...], tuple[Array, ...]] = {}
    try:
        for p in parts:
            stack = draws.arrays(p, dtype, draws.seeds(p, dtype, SCREEN, 0, _CALLS))
            found[p.units, p.inputs] = tuple(p.as_units(a.astype(float)) for a in stack)
    except BrokenCall:
        return None
    return _ObservedWeight(
        draw=draw,
        contract=contract,
        topic=topic,
        layer=Layer((part.units, part.inputs)),
        measured=failed.measured or "",
        allowed=failed.allowed or "",
        drawn=found,
    )


def copies_along_an_axis(draws: LayerDraws, part: Part) -> Cause | None:
    """Explain matrices that lie along an axis of one weight and are one and the same: experts, heads, a stack.

    Raises:
        BrokenCall: as ``Draws``.
    """
    if len(part.shape) < 3:
        return None
    [weight] = draws.arrays(part, "float32", draws.seeds(part, "float32", SCREEN, 0, 1))
    for axis, length in enumerate(part.shape):
        slices = np.moveaxis(np.asarray(weight), axis, 0)
        if length > 1 and np.ptp(slices[0]) > 0 and all(np.array_equal(slices[0], other) for other in slices[1:]):
            return Cause(
                f"the {length} slices along axis {axis} of {part.title} {part.shape} are copies of one: one key or seed"
                " for all of them, or one draw that is repeated",
                "draw each of them on its own: split the key, one for each, or draw the whole shape at once",
            )
    return None
