"""The law a tensor was drawn from, read off the last chain of writes that covers it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

from initcheck.grouping import grouped
from initcheck.models.provenance.init_calls import law_of_call
from initcheck.models.provenance.law import UNTRACED, Law, constant, normal, truncated, uniform
from initcheck.models.provenance.steps import CONSTANTS, FILLS, NORMAL, SAME, UNIFORM, Draw, Region, Step, writes_anew

_MOST_LATER = 24


@dataclass(frozen=True)
class Later:
    """A part of a tensor that was written after the whole.

    Attributes:
        steps: what was written there, in order.
        region: the entries, as a view of the storage; None where they are a mask, or not known.
        law: what stands there now.
    """

    steps: tuple[Step, ...]
    region: Region | None
    law: Law

    @property
    def step(self) -> Step:
        """The last write."""
        return self.steps[-1]


def last_chain(steps: Iterable[Step], start: int, stop: int) -> tuple[list[Step], list[Step]]:
    """The steps from the last one that wrote all of [start, stop) anew, and the partial writes after it."""
    chain: list[Step] = []
    partial: list[Step] = []
    for step in steps:
        if not covers(step, start, stop):
            partial.append(step)
            continue
        if step.anew:
            chain, partial = [], []
        chain.append(step)
    return chain, partial


def generations(steps: Iterable[Step], start: int, stop: int) -> list[tuple[list[Step], list[Step]]]:
    """Every chain of whole writes in the life of a tensor, the last one last, and the partial writes after each."""
    found: list[tuple[list[Step], list[Step]]] = []
    for step in steps:
        if covers(step, start, stop):
            if step.anew or not found:
                found.append(([], []))
            found[-1][0].append(step)
        elif found:
            found[-1][1].append(step)
    return found


def later_writes(chain: Sequence[Step], partial: Sequence[Step]) -> list[Later]:
    """The parts that were written after the whole, each with the law that stands there.

    A part is what one view or one mask reaches; a write to the whole of a part counts for it too.
    """
    parts = grouped(
        (step.region if step.mask is None and step.region is not None else (step.op, step.site), step)
        for step in partial
    )
    found = []
    for key, steps in list(parts.items())[-_MOST_LATER:]:
        region = key if isinstance(key, Region) else None
        before = [] if steps[0].anew else list(chain)
        law = law_of([*before, *steps]) if region is not None else law_of(_last_anew(steps))
        found.append(Later(tuple(steps), region, law))
    return found


def covers(step: Step, start: int, stop: int) -> bool:
    """Whether a step wrote every entry between two places of the storage."""
    return step.dense and step.start <= start and step.stop >= stop


def law_of(chain: Iterable[Step]) -> Law:
    """The law after a chain of whole-tensor steps.

    >>> from initcheck.models.provenance.steps import Step
    >>> normal = Step("normal_", (("mean", 0.0), ("std", 0.02)), 0, 6, True, None)
    >>> half = Step("mul_", (("other", 0.5),), 0, 6, True, None)
    >>> law_of([normal, half]).text
    'normal std 0.01'
    >>> law_of([]).family
    'untraced'
    """
    law: Law | None = None
    draws: set[Draw] = set()
    recipe: set[object] = set()
    names: list[str] = []
    for step in chain:
        name = step.op.rstrip("_")
        if step.anew:
            draws, recipe, names = set(), set(), []
        draws |= step.draws
        if name not in SAME:
            recipe |= step.recipe or {(name, step.arguments)}
            names.append(name)
        law = _after(law, step)
        law = replace(law, site=step.site or law.site)
    if law is None:
        return UNTRACED
    if law.family != "derived":
        return law
    shown = ", ".join(dict.fromkeys(names[-5:]))
    if not draws:
        return replace(law, family="fixed", text=f"by {shown}", recipe=frozenset(recipe))
    return replace(law, text=f"by {shown}", recipe=frozenset(recipe))


def _last_anew(steps: Sequence[Step]) -> list[Step]:
    return list(steps[-1:])


def _after(law: Law | None, step: Step) -> Law:
    name, given = step.op.rstrip("_"), dict(step.arguments)
    if step.caller.call is not None and step.op == step.caller.call.name:
        return law_of_call(step.caller.call)
    if step.recipe:
        return Law("derived")
    if name in NORMAL:
        if "tensor" in (given.get("mean"), given.get("std")):
            return Law("derived")
        return normal(float(given.get("mean", 0.0)), float(given.get("std", 1.0)))
    if name in UNIFORM:
        return uniform(float(given.get("from", 0.0)), float(given.get("to", 1.0)))
    if name in CONSTANTS:
        return constant(CONSTANTS[name])
    if name in FILLS:
        value = given.get("value", given.get("fill_value", "tensor"))
        return Law("derived") if value == "tensor" else constant(float(value))
    if name in ("lift_fresh", "set"):
        return UNTRACED
    if law is None or writes_anew(name) or law.family == "derived":
        return Law("derived")
    if name in SAME or law.family == "untraced":
        return law
    if name in ("mul", "div", "add", "sub", "neg"):
        return _affine(law, name, given)
    if name == "erfinv" and law.family == "uniform" and -law.low == law.high:
        bound = _erfinv(law.high)
        return truncated(0.0, math.sqrt(0.5), -bound, bound) if math.isfinite(bound) else normal(0.0, math.sqrt(0.5))
    if name == "clamp":
        return _clamped(law, given)
    return Law("derived")


def _affine(law: Law, name: str, given: dict[str, object]) -> Law:
    value = given.get("other", "tensor")
    if name == "neg":
        factor, shift = -1.0, 0.0
    elif value == "tensor" or not isinstance(value, (int, float)) or (name == "div" and value == 0):
        return Law("derived")
    elif name in ("mul", "div"):
        factor, shift = (float(value) if name == "mul" else 1.0 / float(value)), 0.0
    else:
        alpha = given.get("alpha", 1)
        scaled = float(value) * (float(alpha) if isinstance(alpha, (int, float)) else 1.0)
        factor, shift = 1.0, (scaled if name == "add" else -scaled)
    ends = sorted((law.low * factor + shift, law.high * factor + shift)) if factor else [shift, shift]
    mean = (law.mean or 0.0) * factor + shift
    if not factor or law.family == "constant":
        return constant(mean)
    if law.family == "normal":
        return normal(mean, (law.std or 0.0) * factor)
    if law.family == "uniform":
        return uniform(*ends)
    if law.family == "truncated_normal" and law.sigma is not None and _is_centred(law):
        return truncated(mean, law.sigma * factor, *ends)
    if law.family in ("orthogonal", "sparse") and not shift:
        std, sigma = (None if v is None else v * abs(factor) for v in (law.std, law.sigma))
        return replace(law, std=std, sigma=sigma, low=ends[0], high=ends[1], text=f"{factor:.4g} times {law.text}")
    return Law("derived")


def _is_centred(law: Law) -> bool:
    mean = law.mean or 0.0
    return math.isclose(mean - law.low, law.high - mean, rel_tol=1e-6)


def _clamped(law: Law, given: dict[str, object]) -> Law:
    low, high = given.get("min"), given.get("max")
    floor = float(low) if isinstance(low, (int, float)) else -math.inf
    ceiling = float(high) if isinstance(high, (int, float)) else math.inf
    if law.family == "constant":
        return constant(min(max(law.mean or 0.0, floor), ceiling))
    if not law.named:
        return Law("derived")
    cut = max(law.low, floor), min(law.high, ceiling)
    std, mean = law.std or 0.0, law.mean or 0.0
    # Beyond four standard deviations a clamp moves nothing that anybody could measure.
    if min(mean - cut[0], cut[1] - mean) > 0.99 * min(4 * std, mean - law.low, law.high - mean):
        return law if law.family == "truncated_normal" else replace(law, low=cut[0], high=cut[1])
    return Law("derived")


def _erfinv(y: float) -> float:
    """Of the magnitude: that of a normal's lower tail keeps its digits next to 1."""
    return -NormalDist().inv_cdf((1 - abs(y)) / 2) / math.sqrt(2) if -1.0 < y < 1.0 else math.inf
