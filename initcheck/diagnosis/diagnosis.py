"""From a failing claim to its likely cause and fix: words for what was proven, no verdict of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from initcheck.diagnosis.causes import Cause, Rule, first_cause
from initcheck.diagnosis.cut_causes import absolute_cut_cause, default_cut_cause
from initcheck.diagnosis.dependence_causes import centre_cause, dependence_cause
from initcheck.diagnosis.family_causes import DEGENERATE, FAMILY, MEAN, ORTHOGONAL, UNSIGNED, is_degenerate
from initcheck.diagnosis.law_causes import LAW, SCALE_PER_CALL
from initcheck.diagnosis.observed import Observed
from initcheck.diagnosis.seed_behaviour import BEHAVIOURS, seed_behaviours
from initcheck.diagnosis.value_causes import (
    cancelling_cause,
    counted_cause,
    grid_cause,
    largest_cause,
    narrow_cause,
    not_finite_cause,
    own_size_cause,
    unpaired_cause,
)


def diagnose(seen: Observed) -> Cause | None:
    """Name the likely cause of a failing claim, and its fix; None where nothing fits.

    Looks at the marginal law, dependence, seeds, the mean, the law of the variance and its exceptions, in this
    order; of these only the first that can explain the claim is said. Draws about 230,000 weights.

    >>> from initcheck.contract.contract import Contract
    >>> def default(shape, seed):
    ...     return np.random.default_rng(seed).uniform(-1, 1, shape) / shape[1] ** 0.5
    >>> cause = diagnose(Observed(draw=default, contract=Contract(activation="linear", layout="out_in")))
    >>> print(cause.sentence)
    variance is 0.333/fan_in: a uniform on +-1/sqrt(fan_in)
    >>> print(cause.fix)
    +-sqrt(3/fan_in) has unit output variance
    """
    with np.errstate(all="ignore"):
        return next((cause for cause in _causes(seen) if cause.explains(seen.topic)), None)


def _turned(seen: Observed) -> bool:
    rectangles = {asked: got for asked, got in seen.probe.returned.items() if asked != asked[::-1]}
    return bool(rectangles) and all(got == asked[::-1] for asked, got in rectangles.items())


def _one_shape(seen: Observed) -> dict[str, object] | None:
    returned = seen.probe.returned
    shapes = set(returned.values())
    return {"shape": shapes.pop()} if len(shapes) == 1 and len(returned) > 1 else None


def _cut_to_a_square(seen: Observed) -> dict[str, object] | None:
    """Whether of matrices of one kind alone, wide or tall, the longer side is cut to the shorter one."""
    matrices = {asked: got for asked, got in seen.probe.returned.items() if len(asked) == 2}
    wide = {asked[0] < asked[1] for asked in matrices}
    if len(wide) != 1 or any(got != (min(asked),) * 2 for asked, got in matrices.items()):
        return None
    return (
        {"sides": "(rows, rows) where there are fewer rows than columns"}
        if wide == {True}
        else {"sides": "(columns, columns) where there are fewer columns than rows"}
    )


def _another_dtype(seen: Observed) -> bool:
    return seen.topic == "promises" and re.fullmatch(r"(bfloat|float|u?int|complex|bool)\d*", seen.measured) is not None


# On so many generators ``calls_are_distinct`` asks for two calls each.
_GENERATORS = 48

RESULTS = (
    Rule(
        _turned,
        "the result has the axes the wrong way round",
        "return the shape that was asked for; the layout says which axis holds the units",
        "promises",
    ),
    Rule(_one_shape, "it returns {shape} whatever is asked for", "draw the shape that is asked for", "promises"),
    Rule(
        _cut_to_a_square,
        "it returns {sides}: a reduced QR or SVD keeps the shorter side alone",
        "decompose the tall matrix of both orders, and return it turned where the wide one was asked for",
        "promises",
    ),
    Rule(
        _another_dtype,
        "the dtype is not handed on to every step: what is returned is {measured}",
        "hand the dtype to the draw and to what it is multiplied by, or cast what is returned to {allowed}",
        "promises",
    ),
)

# Of a group only the first cause that fits is said, for the others would say it less well; then comes the next group.
_BEFORE_SEEDS: Sequence[Sequence[Callable[[Observed], Cause | None]]] = (
    (counted_cause,),
    ORTHOGONAL,
    (unpaired_cause, centre_cause, dependence_cause),
    UNSIGNED,
)
_AFTER_SEEDS: Sequence[Sequence[Callable[[Observed], Cause | None]]] = (
    MEAN,
    (grid_cause,),
    (largest_cause, own_size_cause),
    (default_cut_cause,),
    FAMILY,
    SCALE_PER_CALL,
    LAW,
    (absolute_cut_cause,),
    (not_finite_cause,),
    (cancelling_cause,),
    (narrow_cause,),
)


def _causes(seen: Observed) -> Iterator[Cause]:
    """Yield what can be said, in order; lazily, because the first that explains the claim ends the search."""
    if seen.topic == "memory" and "of one generator or instance" in seen.measured:
        yield BEHAVIOURS["aliased"]  # which draws with an instance of their own cannot show
    if seen.topic == "randomness" and _every_second_repeats(seen.measured):
        yield BEHAVIOURS["never-advances"]
    if seen.topic == "randomness" and "layers of one network" in seen.measured:
        yield BEHAVIOURS["one-key"]
    yield from _firsts((RESULTS, DEGENERATE), seen)
    if is_degenerate(seen):
        return
    yield from _firsts(_BEFORE_SEEDS, seen)
    if seen.topic in (None, "randomness", "memory", "globals"):
        yield from (BEHAVIOURS[name] for name in seed_behaviours(seen.call or seen.draw, seen.seed))
    yield from _firsts(_AFTER_SEEDS, seen)


def _every_second_repeats(measured: str) -> bool:
    """Whether of two calls on each of 48 generators, and no other calls, the second one repeats the first."""
    told = re.match(r"([\d,]+) distinct results in ([\d,]+) calls", measured)
    return told is not None and int(told[2].replace(",", "")) - int(told[1].replace(",", "")) == _GENERATORS


def _firsts(groups: Sequence[Sequence[Callable[[Observed], Cause | None]]], seen: Observed) -> Iterator[Cause]:
    for group in groups:
        found = first_cause(group, seen)
        if found is not None:
            yield found
