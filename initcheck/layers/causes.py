"""Why a layer's scale is off: the fan that its variance was divided by, beside the one that a unit has."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from initcheck.causes import Cause
from initcheck.causes import number as worded
from initcheck.layers.part import Part
from initcheck.verdict import Evidence

if TYPE_CHECKING:
    from initcheck.layers.layer_subject import LayerSubject

__all__ = ["cause_of"]

_CALLS = 24
# Constants of one law agree to this at every size; noise of 24 builds of 256 weights is 2 %.
_AGREE = 0.08
_UNIFORM_KURTOSIS = 1.8


def cause_of(subject: LayerSubject, evidence: Evidence) -> Cause | None:
    """The likely cause of a scale that was shown to be wrong, and its fix; None where nothing fits.

    The mean square times each candidate for the fan is one constant at every size where that is what the variance
    was divided by.
    """
    failing = next((p for p in subject.domain.plan if p.described(evidence.dtype or "") == evidence.case), None)
    if not isinstance(failing, Part):
        return None
    parts = [p for p in subject.structure.parts if p.weight == failing.weight and p.block == failing.block]
    dtype = subject.contract.dtypes[0]
    squares, kurtosis = [], []
    for part in parts:
        values = np.stack(subject.draws.arrays(part, dtype, subject.draws.seeds(part, dtype, "screen", 0, _CALLS)))
        square = np.square(values.astype(np.float64))
        squares.append(float(square.mean()))
        kurtosis.append(float(np.mean(square**2) / max(float(square.mean()) ** 2, 1e-300)))
    several = len({p.weight for p in subject.structure.parts}) > 1
    for name, fans, sentence, fix in _candidates(parts, several):
        constants = [s * f for s, f in zip(squares, fans, strict=True)]
        middle = float(np.average(constants, weights=[part.weights for part in parts]))
        if middle > 0 and all(abs(c / middle - 1) < _AGREE for c in constants):
            uniform = abs(float(np.median(kurtosis)) - _UNIFORM_KURTOSIS) < 0.05
            return Cause(*_said(subject, failing, name, middle, sentence, fix, uniform=uniform))
    return None


def _candidates(parts: list[Part], several: bool) -> Iterator[tuple[str, list[float], str, str]]:
    """Name, value at every size, what it means, and what to do; the plainest first."""
    blocks = parts[0].block.of if parts[0].block is not None else 1
    if parts[0].size.second:
        first = "counts the first input only; every product of the two is a term of the sum"
        yield "the first width", [float(p.size.inputs) for p in parts], first, "divide by the product of both widths"
    yield "fan_in", [p.fan_in for p in parts], "", ""
    if several:
        own = "one bound for every weight of the layer, whatever it sums over"
        yield "the layer's own width", [float(p.size.outputs) for p in parts], own, "initialize each weight by its fans"
    elif len({p.fan_out / p.fan_in for p in parts}) > 1:
        swapped = "fans swapped: the helper takes the outputs of a unit for its inputs"
        yield "fan_out", [p.fan_out for p in parts], swapped, "divide by the inputs that a unit sums over"
    if len({p.size.stride for p in parts}) > 1 or parts[0].size.stride > 1:
        yield (
            "fan_in * stride^2",
            [p.fan_in * p.size.stride ** len(p.size.kernel) for p in parts],
            "counts every position of the kernel; at this stride an output meets a fraction of them",
            "divide the positions by stride^2",
        )
    for words, axis, beside in (("shape[1]", 1, 0), ("shape[-2]", -2, -1), ("shape[-1]", -1, -2), ("shape[0]", 0, 1)):
        helper = [_helper(p, axis) for p in parts]
        other = [_helper(p, beside) for p in parts]
        counted = f"the fan is read off the stored shape, {words} times the kernel"
        true = "divide by the inputs that a unit sums over"
        yield f"{words} * kernel", helper, counted, true
        if words in ("shape[1]", "shape[-2]"):
            both = [(a + b) / 2 for a, b in zip(helper, other, strict=True)]
            packed = f"the fans are read off the stored shape, whose outputs hold {blocks} blocks"
            yield "the mean of the stored fans", both, packed if blocks > 1 else counted, true
    if blocks > 1:
        packed = f"the fan counts all {blocks} blocks of the stored weight"
        yield f"{blocks} * fan_out", [blocks * p.fan_out for p in parts], packed, "initialize each block by itself"


def _helper(part: Part, axis: int) -> float:
    """A fan as the frameworks' helpers count it: one axis of the stored weight times the kernel's positions."""
    shape = part.whole.shape
    pair = (0, 1) if axis in (0, 1) else (len(shape) - 2, len(shape) - 1)
    if len(shape) < 2:
        return math.nan
    receptive = math.prod(n for a, n in enumerate(shape) if a not in pair)
    return float(shape[axis] * receptive)


def _said(
    subject: LayerSubject, part: Part, name: str, constant: float, sentence: str, fix: str, *, uniform: bool
) -> tuple[str, str]:
    law = f"variance is {worded(constant)}/({name})" if " " in name else f"variance is {worded(constant)}/{name}"
    if name == "fan_in":
        if uniform and abs(constant * 3 - 1) < _AGREE:
            source = ", PyTorch's documented default" if subject.initializer.framework == "torch" else ""
            bound = "a uniform on +-1/sqrt(fan_in)"
            return f"{law}: {bound}{source}", "+-sqrt(3/fan_in) has unit output variance; or declare its gain, or waive"
        return law, "scale it to 1/fan_in, or to the gain that the layer is meant to have"
    where = f"; a unit here sums over {part.fan_in:.4g} inputs"
    return f"{law}: {sentence}{where}", fix
