"""From two sides whose laws differ to the likely cause: words for what was shown, no verdict of their own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from initcheck.comparison.causes.differing import Sides
from initcheck.comparison.causes.factors import (
    depth,
    divisor,
    factor,
    fan_of_the_shard,
    fan_of_the_stack,
    fans,
    fans_of_the_shard,
    gains,
    packed,
    packed_fans,
    shapes,
    squared,
    truncation,
)
from initcheck.comparison.causes.places import is_constant, rounded_to, verb_and_sort
from initcheck.diagnosis.causes import Cause, Rule, cause, first_cause
from initcheck.diagnosis.evidence.formulas import number
from initcheck.wording import listed

# How often a number stands in its call: of draws of a narrow type some collide.
_ONCE, _OFTEN = 1.1, 1.5


def cause_of_difference(seen: Sides) -> Cause:
    """Name in what B differs from A, and what to write; the first of these that fits."""
    found = first_cause(_RULES, seen)
    if found is not None:
        return found
    return cause(
        f"A and B differ in {seen.feature}: A is {seen.a.words}; B is {seen.b.words}",
        "compare the two formulas, entry by entry",
    )


def cause_of_copies(side: str, names: Sequence[str], count: int) -> Cause:
    """Tensors of one side were drawn from the same random numbers, and their partners were not.

    >>> cause_of_copies("A", ["q.weight", "k.weight"], 2).fix
    'copy in B what A copies, or draw them apart in both'

    Args:
        side: whose they are.
        names: of the tensors, or of their roles.
        count: how many tensors.
    """
    other, fix = "A", "split the key, or draw on from one generator, for each of them"
    if side == "A":
        other, fix = "B", "copy in B what A copies, or draw them apart in both"
    return cause(
        f"{count} tensors of {side} hold the same random numbers ({listed(names)}), those of {other} are drawn apart",
        fix,
    )


def _values(seen: Sides) -> Mapping[str, object] | None:
    """Weights of one side are not finite, and of the other they are."""
    shares = seen.a.not_finite, seen.b.not_finite
    if not any(shares) or math.isclose(*shares, rel_tol=0.1):
        return None
    side, other = ("B", "A") if shares[1] > shares[0] else ("A", "B")
    return {"side": side, "other": other, "share": f"{100 * max(shares):.2g}", "rest": f"{100 * min(shares):.2g}"}


def _one_call(seen: Sides) -> Mapping[str, object] | None:
    """One side gives random numbers, and the same ones at every call."""
    fixed = seen.a.is_one_call, seen.b.is_one_call
    if fixed[0] == fixed[1]:
        return None
    return {"side": "B", "other": "A"} if fixed[1] else {"side": "A", "other": "B"}


def _constants(seen: Sides) -> Mapping[str, object] | None:
    """One side is one number everywhere, and the other is not, or is another number."""
    a, b = seen.a, seen.b
    if not (is_constant(a) or is_constant(b)) or (a.family.name == b.family.name and a.family.text == b.family.text):
        return None
    said = verb_and_sort(a, b)
    fix = (
        f"let B be {said.removeprefix('is ').removesuffix(' everywhere')}"
        if is_constant(a)
        else f"draw B as A: {a.words}"
    )
    return {"a": said, "b": verb_and_sort(b, a), "fix": fix}


def _kind(seen: Sides) -> Mapping[str, object] | None:
    """One is orthogonal or random numbers with a structure, and the other is not."""
    a, b = seen.a, seen.b
    orthogonal = "orthogonal" in (a.family.name, b.family.name) and a.family.name != b.family.name
    names = [s.dependence.name if s.dependence is not None else "" for s in (a, b)]
    if orthogonal or names[0] != names[1]:
        return {"a": verb_and_sort(a, b), "b": verb_and_sort(b, a)}
    return None


def _copies(seen: Sides) -> Mapping[str, object] | None:
    """The numbers of a call of one side recur in it, in rows and columns or not, and those of the other do not."""
    times = seen.a.copies, seen.b.copies
    if min(times) > _ONCE or max(times) < _OFTEN:
        return None
    side, other = ("B", "A") if times[1] > times[0] else ("A", "B")
    fix = "draw every entry of B on its own, with no tiling or repeating"
    if side == "A":
        fix = "repeat in B what A repeats, or draw every entry of A on its own"
    return {"side": side, "other": other, "times": f"{max(times):.2g}", "fix": fix}


def _shards_alike(seen: Sides) -> Mapping[str, object] | None:
    """The ranks of one side hold the same random numbers, each as its shard."""
    if seen.repeats[0] == seen.repeats[1]:
        return None
    side = "B" if seen.repeats[1] else "A"
    return {"side": side, "world": seen.worlds[side == "B"]}


def _sparse(seen: Sides) -> Mapping[str, object] | None:
    """One side holds zeros among its weights, and the other none, or another share."""
    a, b = seen.a.family, seen.b.family
    if "sparse" not in (a.name, b.name) or (a.name == b.name and math.isclose(a.share, b.share, rel_tol=0.05)):
        return None
    return {"a": a.text, "b": b.text}


def _rounded(seen: Sides) -> Mapping[str, object] | None:
    """One side holds numbers of a narrow type, and the other does not."""
    kinds = rounded_to(seen.a), rounded_to(seen.b)
    if kinds[0] == kinds[1] or seen.scaled:
        return None
    side, other = ("B", "A") if kinds[1] is not None else ("A", "B")
    return {"side": side, "other": other, "dtype": kinds[side == "B"]}


def _families(seen: Sides) -> Mapping[str, object] | None:
    a, b = seen.a.family, seen.b.family
    if a.name == b.name and (
        a.parameter is None or b.parameter is None or math.isclose(a.parameter, b.parameter, rel_tol=0.02)
    ):
        return None
    return {"a": a.text, "b": b.text}


def _means(seen: Sides) -> Mapping[str, object] | None:
    a, b = seen.a.mean, seen.b.mean
    if "mean" not in seen.kinds or abs(a - b) < 0.005:
        return None
    # What is within its error of zero is called zero.
    told = [number(m) if abs(m) > max(0.002, 4 * side.mean_error) else "0" for side, m in ((seen.a, a), (seen.b, b))]
    return {"a": told[0], "b": told[1]}


def _one_sided(seen: Sides) -> Mapping[str, object] | None:
    """One side is drawn on one side of zero, where the other has both signs."""
    a, b = seen.a.range, seen.b.range
    if (a[0] < 0 < a[1]) == (b[0] < 0 < b[1]):
        return None
    side, other, (low, high) = ("B", "A", b) if a[0] < 0 < a[1] else ("A", "B", a)
    if max(abs(low), abs(high)) == 0:
        return None
    fix = "draw B on one side of zero, as A is drawn"
    if side == "B":
        fix = "draw B on both sides of zero: uniform(-s, s), where initializers.uniform(s) of JAX and rand begin at 0"
    return {"side": side, "other": other, "never": "negative" if low >= 0 else "positive", "fix": fix}


def _calls(seen: Sides) -> Mapping[str, object] | None:
    if seen.kinds[:1] != ("calls",):
        return None
    return {"a": f"{100 * seen.a.energies:.2g}", "b": f"{100 * seen.b.energies:.2g}"}


_RULES: tuple[Rule[Sides], ...] = (
    Rule(
        _values,
        "{share} % of {side}'s weights are not finite, of {other}'s {rest} %",
        "find what is never written, overflows or divides by zero in {side}",
    ),
    Rule(
        _one_call,
        "every call of {side} gives the same weights, whatever the seed; those of {other} differ from call to call",
        "draw {side} from the generator that it is given, or from the global one, and set no seed inside",
    ),
    Rule(
        _shards_alike,
        "the shards that the {world} ranks of {side} hold repeat one another",
        "let the generator of each rank stand elsewhere while a shard is drawn, or cut the shards from one whole",
    ),
    Rule(
        lambda seen: seen.places.odd_tensors() if seen.places is not None else None,
        "{names} of {side} {said}, {rest}",
        "{fix}",
    ),
    Rule(
        lambda seen: seen.places.odd_rows() if seen.places is not None else None,
        "{rows} of A: {a}; of B: {b}; the other rows are alike",
        "let B have these rows as A has them: a row for padding, a gate's bias",
    ),
    Rule(
        packed,
        "in rows {rows} B's weights are {factor} times A's, in the others they are alike",
        "draw all pieces of a packed matrix as A draws them",
    ),
    Rule(
        packed_fans,
        "{side} draws the packed matrix {whole} at once, and {other} each of its pieces {piece}: both by {formula},"
        " whose fan_out counts all pieces in {side}",
        "draw each piece of the packed matrix by its own fans, or all at once in both",
    ),
    Rule(_constants, "A {a}, B {b}", "{fix}"),
    Rule(_kind, "A {a}, B {b}", "draw B as A is drawn: the entries of a call must know the same of one another"),
    Rule(_copies, "each number of a call of {side} stands in it {times} times, of {other} once", "{fix}"),
    Rule(_sparse, "A is {a}, B is {b}", "let as many weights of B be zero as of A: none is pruned before training"),
    Rule(
        squared,
        "{side}'s variance is the square of {other}'s: it stands where the standard deviation belongs",
        "take the square root once in both: normal(0, sqrt(variance))",
    ),
    Rule(
        divisor,
        "A's variance is {a}, B's is {b}: B divides by {db} where A divides by {da}",
        "divide by {da} in B, or declare which axis is the input (--layouts)",
    ),
    Rule(
        truncation,
        "{lacks} lacks the factor 1/{root} of the truncation ({what}): its variance is {share} of {has}'s",
        "divide the standard deviation by {root} before cutting",
    ),
    Rule(
        gains,
        "both are orthogonal, and the gain of {larger} is {factor} times that of {other}{said}",
        "give both one gain: draw piece by piece in both or in neither, or multiply {larger} by {inverse}",
    ),
    Rule(
        fan_of_the_shard,
        "{side}'s weights are {factor} times {other}'s, the root of its {world} ranks: the fan of the shard stands for"
        " that of the whole",
        "divide by the fan of the whole on every rank",
    ),
    Rule(
        fans_of_the_shard,
        "{side}'s weights are {factor} times {other}'s: both follow {formula}, {side} by the fans of its shard {piece},"
        " {other} by those of the whole {whole}",
        "divide by the fans of the whole on every rank",
    ),
    Rule(
        fan_of_the_stack,
        "{side}'s weights are {factor} times {other}'s, one over the root of the {count} layers or experts that {side}"
        " holds in one tensor: their axis is counted to the fan",
        "draw each of them by itself, or name their axis as one of the batch (batch_axis of JAX)",
    ),
    Rule(
        depth,
        "{small}'s weights are scaled by 1/{root} (L = {blocks} blocks), {large}'s are not",
        "scale the residual writers in both, or in neither",
    ),
    Rule(fans, "A's variance is {a}, B's is {b}: B's weights are {factor} times A's", "give B the variance {a}"),
    Rule(factor, "B's weights are {factor} times A's (variance {b} against {a}{laws})", "multiply B's by {inverse}"),
    Rule(shapes, "B's weights are {from} to {to} times A's, by shape (variance {b} against {a})", "let B follow {a}"),
    Rule(_one_sided, "{side}'s weights are never {never}, {other}'s have both signs", "{fix}"),
    Rule(_means, "the mean is {b} standard deviations in B, {a} in A", "draw B around the mean of A"),
    Rule(
        _rounded,
        "{side} holds numbers of {dtype} alone, {other} does not: it was drawn in, or rounded to, {dtype}",
        "draw both in one type; a draw in {dtype} has few sizes and no far tail",
    ),
    Rule(
        lambda seen: seen.places.odd_laws() if seen.places is not None else None,
        "{names} of {side} {said}, {rest}",
        "{fix}",
    ),
    Rule(_families, "A is {a}, B is {b}, of one variance", "draw B from the law of A"),
    Rule(
        _calls,
        "whole calls differ in size: by {a} % from call to call in A, by {b} % in B",
        "let no factor of a call be drawn, or the same in both",
    ),
)
