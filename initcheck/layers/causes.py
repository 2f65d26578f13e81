"""Why a layer's scale is off: the fan that its variance was divided by, beside the one that a unit has."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from initcheck.contract.contract import Contract
from initcheck.contract.gains import gains_near
from initcheck.diagnosis.causes import Cause
from initcheck.diagnosis.evidence.formulas import number as worded
from initcheck.draws.streams import SCREEN
from initcheck.layers.draws import LayerDraws
from initcheck.layers.fans import Structure
from initcheck.layers.part import Part
from initcheck.report.verdict import Evidence

_CALLS = 24
# Constants of one law agree to this at every size; noise of 24 builds of 256 weights is 2 %.
_AGREE = 0.08
_UNIFORM_KURTOSIS = 1.8
_OR_DECLARED = "scale it to 1/fan_in, or declare the gain that the layer is meant to have"
_TRUE = "divide by the inputs that a unit sums over"
_LATE = "give the initializer to the constructor: set on a layer that is built already it draws nothing"


@dataclass(frozen=True)
class _Fan:
    """Something that a variance may have been divided by: its name, its value of a part, what it says, what to do."""

    name: str
    of: Callable[[Part], float]
    sentence: str = ""
    fix: str = _TRUE


def cause_of(
    structure: Structure,
    draws: LayerDraws,
    contract: Contract,
    contract_of: Callable[[Part], Contract],
    evidence: Evidence,
    shown: Callable[[], Cause | None],
) -> Cause | None:
    """The likely cause of a scale that was shown to be wrong, and its fix; None where nothing fits.

    The mean square times a fan is one constant at every size where that fan is what the variance was divided by.

    Args:
        structure: what was found of the layer.
        draws: the layer's.
        contract: what the whole layer is held to.
        contract_of: what each weight is held to.
        evidence: of the failure.
        shown: what the draws of the weight alone show; asked of plain matrices and kernels that no fan explains.
    """
    dtype = contract.dtypes[0]
    failing = next((p for p in structure.parts if p.described(dtype) == evidence.case), None)
    if failing is None:
        return None
    parts = [p for p in structure.parts if p.weight == failing.weight and p.block == failing.block]
    squares, kurtosis = [], []
    for part in parts:
        seeds = draws.seeds(part, dtype, SCREEN, 0, _CALLS)
        square = np.square(np.stack(draws.arrays(part, dtype, seeds)).astype(np.float64))
        squares.append(float(square.mean()))
        kurtosis.append(float(np.mean(square**2)) / max(float(square.mean()) ** 2, 1e-300))
    uniform = abs(float(np.median(kurtosis)) - _UNIFORM_KURTOSIS) < 0.05
    several = len({p.weight for p in structure.parts}) > 1
    if max(squares) < (1 + _AGREE) * min(squares) and max(p.fan_in for p in parts) > 1.5 * min(p.fan_in for p in parts):
        std = math.sqrt(float(np.average(squares, weights=[part.weights for part in parts])))
        promised = contract_of(failing).std
        by_fan = "divide by the root of the inputs that a unit sums over; or declare std, if that number is meant"
        return Cause(f"the std is {worded(std)} at every width", by_fan if promised is None else f"std = {promised:g}")
    meant = (1, 2, 1 / 3) if uniform else (1, 2)
    fitting = []
    framework = draws.initializer.framework
    first_axes, kept_first = framework in ("torch", "equinox"), framework == "keras"
    for fan in _fans(parts, several, first_axes=first_axes, kept_first=kept_first):
        constants = [s * fan.of(p) for s, p in zip(squares, parts, strict=True)]
        middle = float(np.average(constants, weights=[part.weights for part in parts]))
        if middle > 0 and all(abs(c / middle - 1) < _AGREE for c in constants):
            # How far from a constant that somebody writes, at the worst size.
            off = min(max(abs(c / constant - 1) for c in constants) for constant in meant)
            fitting.append((fan, middle, round(off, 6) if off < _AGREE else math.inf))
    plain = all(p.inputs == p.fan_in for p in parts)
    if not fitting:
        return shown() if plain else None
    # Where several are one number at all sizes built, that whose constant is nearest; the plainest of equals.
    fan, middle, _ = min(fitting, key=lambda found: found[2])
    of_three = _is_stack(parts) and 3 in failing.whole.shape
    found = _worded(fan, middle, failing, uniform, framework, of_three=of_three)
    # Of a pointwise convolution a helper's count of another layout is fan_in^2: that a root is missing is plainer.
    rootless = fan.name != "fan_in" and all(fan.of(p) == p.fan_in**2 for p in parts)
    return (shown() if plain and (rootless or found.fix == _OR_DECLARED) else None) or found


def _fans(parts: Sequence[Part], several: bool, *, first_axes: bool, kept_first: bool) -> Iterator[_Fan]:
    """What to try, the plainest first."""
    first = parts[0]
    blocks = first.block.of if first.block is not None else 1
    if first.size.second:
        sentence = "counts the first input only; every product of the two inputs is a term of the sum"
        yield _Fan("the first width", lambda p: p.size.inputs, sentence, "divide by the product of both widths")
    yield _Fan("fan_in", lambda p: p.fan_in)
    rank = len(first.whole.shape)
    strided = max(p.stride for p in parts) > 1
    stacked = _is_stack(parts)
    if not several and not strided and not first.size.second and not stacked:
        pair = (0, 1) if first_axes else (-2, -1)

        def every(part: Part) -> float:
            return part.size.inputs * _stored(part, pair[0]) / part.whole.shape[pair[0]]

        if any(every(p) > 1.5 * p.fan_in for p in parts):
            sentence = "the fan counts the inputs of all groups, and a unit sees those of its own"
            yield _Fan("the inputs of all groups", every, sentence)
    counted = "the fan is read off the stored shape, and a unit does not sum over all of that"
    if blocks > 1:
        counted = f"the fan counts all {blocks} blocks of the stored weight"
    if blocks == 1:
        sentence = "that of Glorot, where the inputs alone are due"
        yield _Fan("fan_avg", lambda p: (p.fan_in + p.fan_out) / 2, sentence, _LATE if kept_first else _TRUE)
    for axes in ((0, 1), (-2, -1)):
        yield _Fan("the mean of the stored fans", lambda p, a=axes: sum(_stored(p, x) for x in a) / 2, counted)  # type: ignore[misc]
    if several:
        own = "one bound for every weight of the layer, whatever it sums over"
        yield _Fan("the layer's own width", lambda p: p.size.outputs, own, "initialize each weight by its own fan")
    if len({p.fan_out / p.fan_in for p in parts}) > 1:
        yield _Fan("fan_out", lambda p: p.fan_out, "fans swapped: outputs are taken for inputs")
    if strided:
        sentence = "counts every position of the kernel; at this stride an output meets some of them"
        yield _Fan("fan_in * stride^2", lambda p: p.fan_in * p.stride ** len(p.size.kernel), sentence)
    fix = _TRUE
    if stacked:
        counted = "an axis beside two is counted as a kernel's, and a unit does not sum over all of them"
        fix = "initialize one matrix at a time, or divide by the inputs that a unit sums over"
    for axis in (1, -2, -1, 0):
        beside = [f"shape[{a}]" for a in _beside(rank, axis)] if stacked else ["kernel"]
        name = " * ".join([f"shape[{axis}]", *beside])
        yield _Fan(name, lambda p, a=axis: _stored(p, a), counted, fix)  # type: ignore[misc]
    if rank > 2 and not stacked and not strided:
        positions = math.prod(first.whole.shape[a] for a in _beside(rank, 0 if first_axes else -1))
        sentence = "the fan counts channels, and not the kernel's positions"
        yield _Fan("the channels of a unit", lambda p: p.fan_in / positions, sentence)
        if not several and not first.size.second:
            sentence = "the fan counts channels, those of all groups, and not the kernel's positions"
            yield _Fan("the channels of all groups", lambda p: float(p.size.inputs), sentence)
    if blocks > 1:
        yield _Fan(f"{blocks} * fan_out", lambda p: blocks * p.fan_out, counted, "initialize each block by itself")


def _is_stack(parts: Sequence[Part]) -> bool:
    """Whether several matrices lie in one weight: an output meets one of them, and no groups or strides are why."""
    alone = parts[0].block is None and len(parts[0].whole.shape) > 2 and max(p.stride for p in parts) == 1
    return alone and any(p.inputs > 1.5 * p.fan_in for p in parts)


def _stored(part: Part, axis: int) -> float:
    """A fan as the frameworks' helpers count it: one axis of the stored weight times the kernel's positions."""
    shape = part.whole.shape
    return float(shape[axis] * math.prod(shape[a] for a in _beside(len(shape), axis)))


def _beside(rank: int, axis: int) -> list[int]:
    """The axes that the helper takes for a kernel's, which counts this one."""
    pair = (0, 1) if axis in (0, 1) else (rank - 2, rank - 1)
    return [a for a in range(rank) if a not in pair]


def _worded(fan: _Fan, constant: float, part: Part, uniform: bool, framework: str, *, of_three: bool) -> Cause:
    name = f"({fan.name})" if " " in fan.name else fan.name
    law = f"variance is {worded(constant)}/{name}"
    if fan.name == "fan_avg" and fan.fix == _TRUE and not any(abs(constant / c - 1) < _AGREE for c in (1, 2, 1 / 3)):
        fix = "scale it to 1/fan_avg, or to 1/fan_in; or declare the gain that the layer is meant to have"
        return Cause(f"{law}: {worded(constant)} times what Glorot draws", fix)
    if fan.name != "fan_in":
        return Cause(
            f"{law}: {fan.sentence}; a unit here sums over {part.fan_in:.4g} input{'' if part.fan_in == 1 else 's'}",
            fan.fix,
        )
    if part.block is not None and abs(constant * part.block.of - 1) < _AGREE:
        sentence = f"variance is 1/({part.block.of} * fan_in): the fan counts all {part.block.of} blocks of the weight"
        return Cause(sentence, "initialize each block by itself")
    if uniform and abs(constant * 3 - 1) < _AGREE:
        source = ", PyTorch's documented default" if framework == "torch" else ""
        fix = "+-sqrt(3/fan_in) has unit output variance; or declare its gain, or waive"
        if of_three:
            return Cause(f"{law}: a uniform on +-1/sqrt(fan_in), or a fan that counts the axis of 3", fix)
        return Cause(f"{law}: a uniform on +-1/sqrt(fan_in){source}", fix)
    meant = next((g for g in gains_near(constant, 0.01) if g.activation != "linear"), None)
    if meant is not None and meant.activation == "relu":
        fix = "declare activation='relu' if the layer's inputs come from one; else scale it to 1/fan_in"
        return Cause(f"{law}: the gain of relu (He), which was not declared", fix)
    return Cause(law, _OR_DECLARED)
