"""From two sides whose laws differ to the likely cause: words for what was shown, no verdict of their own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from initcheck.comparison.exchange import Exchange
from initcheck.comparison.places import Places, each_squared, is_constant, rounded_to, verb_and_sort
from initcheck.comparison.sides import Side
from initcheck.diagnosis.causes import Cause, Rule, cause, first_cause
from initcheck.diagnosis.evidence.formulas import number

_NEAR = 0.02
# A piece whose second moment differs by less is like the other side's.
_PIECE = 0.15


@dataclass(frozen=True)
class Sides:
    """What is known of two starts that differ.

    Attributes:
        a, b: what the calls of each show.
        shown: what the pairs show where they are clearest.
        ratios: at each shape that differs, E w^2 of B over that of A, and the standard error of its logarithm.
        shape: the one shape, units first, of a role of a model.
        packed: where one side holds this piece in a larger matrix, which side, and that matrix' shape.
        blocks: of the model, where the role has a tensor in each.
        pieces: E w^2 of B over A's by halves, thirds or quarters of the rows.
        places: of a role of a model, its tensors and rows on both sides.
        worlds: of each side, how many ranks hold it together; None where one does.
    """

    a: Side
    b: Side
    shown: Exchange
    ratios: tuple[tuple[float, float], ...]
    shape: tuple[int, ...] = ()
    packed: tuple[str, tuple[int, ...]] | None = None
    blocks: int = 0
    pieces: tuple[float, ...] = ()
    places: Places | None = None
    worlds: tuple[int | None, ...] = (None, None)

    @property
    def ratio(self) -> float | None:
        """The one ratio of variances, where it is the same at every shape: each counts by how well it is known."""
        if not self.ratios or not all(0 < r < math.inf for r, _ in self.ratios):
            return None
        weights = [1 / (error + 1e-3) ** 2 for _, error in self.ratios]
        middle = sum(w * math.log(r) for w, (r, _) in zip(weights, self.ratios, strict=True)) / sum(weights)
        off = any(abs(math.log(r) - middle) > max(_NEAR, 5 * error) for r, error in self.ratios)
        return None if off else math.exp(middle)

    @property
    def scaled(self) -> bool:
        """Whether the variances differ beyond what an estimate of them may."""
        if self.ratio is not None:
            return abs(math.log(self.ratio)) > _NEAR
        return any(not 0 < r < math.inf or abs(math.log(r)) > max(_NEAR, 5 * error) for r, error in self.ratios)


def cause_of_difference(seen: Sides) -> Cause:
    """Name in what B differs from A, and what to write; the first of these that fits."""
    found = first_cause(_RULES, seen)
    if found is not None:
        return found
    return cause(
        f"A and B differ in {seen.shown.feature.name}: A is {seen.a.words}; B is {seen.b.words}",
        "compare the two formulas, entry by entry",
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


def _squared(seen: Sides) -> Mapping[str, object] | None:
    """The variance of one side is the square of the other's, at every shape: it stands for a standard deviation.

    At one shape a factor of four may look the same; there what is held to the measure is believed to be it alone.
    """
    if not seen.scaled:
        return None
    found = list(each_squared(seen.a, seen.b))
    for side, each in (("B", [b for b, _ in found]), ("A", [a for _, a in found])):
        if each and all(each) and (side == "B" or len(each) > 1):
            return {"side": side, "other": "A" if side == "B" else "B"}
    return None


def _rounded(seen: Sides) -> Mapping[str, object] | None:
    """One side holds numbers of a narrow type, and the other does not."""
    kinds = rounded_to(seen.a), rounded_to(seen.b)
    if kinds[0] == kinds[1] or seen.scaled:
        return None
    side, other = ("B", "A") if kinds[1] is not None else ("A", "B")
    return {"side": side, "other": other, "dtype": kinds[side == "B"]}


def _divisor(seen: Sides) -> Mapping[str, object] | None:
    laws = seen.a.law, seen.b.law
    if laws[0] is None or laws[1] is None or not seen.scaled or len(seen.a.samples) < 3 or seen.ratio is not None:
        return None
    if laws[0].denominator.name == laws[1].denominator.name:
        return None
    return {"a": seen.a.variance, "b": seen.b.variance, "da": laws[0].denominator.name, "db": laws[1].denominator.name}


def _truncation(seen: Sides) -> Mapping[str, object] | None:
    for one, other, ratio, names in ((seen.a, seen.b, seen.ratio, "AB"), (seen.b, seen.a, _inverse(seen.ratio), "BA")):
        share = other.family.share
        if ratio is not None and share < 0.985 and abs(ratio / share - 1) < _NEAR and one.family.share <= 1:
            return {
                "lacks": names[1], "has": names[0], "share": f"{share:.4g}", "root": f"{math.sqrt(share):.4g}",
                "what": other.family.text,
            }  # fmt: skip
    return None


def _packed(seen: Sides) -> Mapping[str, object] | None:
    """A piece of a packed matrix differs and another does not: q, k or v, or a gate."""
    off = [k for k, ratio in enumerate(seen.pieces) if abs(math.log(ratio)) > _PIECE]
    if not off or len(off) == len(seen.pieces) or not seen.shape:
        return None
    rows, count = seen.shape[0], len(seen.pieces)
    where = [f"{k * rows // count} to {(k + 1) * rows // count - 1} (piece {k + 1} of {count})" for k in off]
    factors = {number(math.sqrt(seen.pieces[k])) for k in off}
    return {"rows": ", ".join(where), "factor": " and ".join(sorted(factors))}


def _packed_fans(seen: Sides) -> Mapping[str, object] | None:
    """One side drew a packed matrix at once, by its fans, and the other each piece by the same formula."""
    if seen.packed is None or not seen.scaled:
        return None
    side, whole = seen.packed
    sides = (seen.a, seen.b) if side == "A" else (seen.b, seen.a)
    at_once, apart = (s.samples[0].mean_square for s in sides)
    both = [f for f in _formulas(at_once, whole) if "fan_out" in f and f in set(_formulas(apart, seen.shape))]
    if not both:
        return None
    formula = both[0]
    other = "B" if side == "A" else "A"
    return {"side": side, "other": other, "whole": whole, "piece": seen.shape, "formula": formula}


def _gains(seen: Sides) -> Mapping[str, object] | None:
    """Both are orthogonal, of two gains; pieces under one another are one orthogonal matrix of a larger gain."""
    if seen.ratio is None or not seen.scaled or not seen.a.family.name == seen.b.family.name == "orthogonal":
        return None
    larger, factor = ("B", math.sqrt(seen.ratio)) if seen.ratio > 1 else ("A", 1 / math.sqrt(seen.ratio))
    pieces = round(factor * factor)
    stacked = seen.shape and seen.shape[0] % pieces == 0 and abs(factor * factor / pieces - 1) < _NEAR and pieces > 1
    said = f", as {pieces} orthogonal pieces under one another have it" if stacked else ""
    other = "A" if larger == "B" else "B"
    return {"larger": larger, "other": other, "factor": number(factor), "said": said, "inverse": number(1 / factor)}


def _depth(seen: Sides) -> Mapping[str, object] | None:
    """One side is scaled by a power of the number of blocks, and the other is not."""
    if seen.ratio is None or seen.blocks < 2:
        return None
    for names, ratio in (("BA", seen.ratio), ("AB", 1 / seen.ratio)):
        for text, power in (("sqrt(2 L)", 2 * seen.blocks), ("sqrt(L)", seen.blocks)):
            if abs(ratio * power - 1) < 0.05:
                return {"small": names[0], "large": names[1], "root": text, "blocks": seen.blocks}
    return None


def _fan_of_the_shard(seen: Sides) -> Mapping[str, object] | None:
    """The whole that ranks hold together is larger by their number: each divides by what it holds itself."""
    if seen.ratio is None or not seen.scaled:
        return None
    for side, other, ratio, world in zip("BA", "AB", (seen.ratio, 1 / seen.ratio), seen.worlds[::-1], strict=True):
        if world is not None and abs(ratio / world - 1) < 2 * _NEAR:
            return {"side": side, "other": other, "factor": number(math.sqrt(ratio)), "world": world}
    return None


def _fans(seen: Sides) -> Mapping[str, object] | None:
    """Both standard deviations of one matrix follow a fan, and not the same one."""
    if seen.ratio is None or not seen.scaled or len(seen.shape) < 2:
        return None
    formulas = [next(_formulas(side.samples[0].mean_square, seen.shape), None) for side in (seen.a, seen.b)]
    if None in formulas:
        return None
    return {"a": formulas[0], "b": formulas[1], "factor": number(math.sqrt(seen.ratio))}


def _formulas(variance: float, shape: tuple[int, ...]) -> Iterator[str]:
    """The usual formulas that give a variance at a shape, units first: of a square matrix there are several."""
    fan_in, fan_out = math.prod(shape[1:]), shape[0] * math.prod(shape[2:])
    fans = {"fan_in": fan_in, "fan_out": fan_out, "(fan_in + fan_out)": fan_in + fan_out}
    powers = {"fan_in": (1, 2, 1 / 3), "fan_out": (1, 2, 1 / 3), "(fan_in + fan_out)": (2,)}
    for name, fan in fans.items():
        for power in powers[name]:
            if abs(variance * fan / power - 1) < _NEAR:
                yield f"{'1/3' if power < 1 else power}/{name}"
    std = math.sqrt(variance)
    round_one = float(f"{std:.1g}") if std else 0.0
    if round_one and abs(std / round_one - 1) < _NEAR / 2:
        yield f"{round_one:g}^2 at every width"


def _factor(seen: Sides) -> Mapping[str, object] | None:
    ratio = seen.ratio
    if ratio is None or not seen.scaled:
        return None
    factor = math.sqrt(ratio)
    return {
        "factor": number(factor), "inverse": number(1 / factor),
        "a": seen.a.variance, "b": seen.b.variance, "laws": _also_laws(seen),
    }  # fmt: skip


def _also_laws(seen: Sides) -> str:
    a, b = seen.a.family, seen.b.family
    return "" if a.name == b.name else f"; and A is {a.text}, B {b.text}"


def _families(seen: Sides) -> Mapping[str, object] | None:
    a, b = seen.a.family, seen.b.family
    if a.name == b.name and (
        a.parameter is None or b.parameter is None or math.isclose(a.parameter, b.parameter, rel_tol=0.02)
    ):
        return None
    return {"a": a.text, "b": b.text}


def _shapes(seen: Sides) -> Mapping[str, object] | None:
    if not seen.scaled or seen.ratio is not None:
        return None
    words = [f"{math.sqrt(r):.3g}" for r, _ in sorted(set(seen.ratios))]
    return {"from": words[0], "to": words[-1], "a": seen.a.variance, "b": seen.b.variance}


def _means(seen: Sides) -> Mapping[str, object] | None:
    a, b = seen.a.mean, seen.b.mean
    if "mean" not in seen.shown.kinds or abs(a - b) < 0.005:
        return None
    return {"a": number(a) if abs(a) > 0.002 else "0", "b": number(b) if abs(b) > 0.002 else "0"}


def _calls(seen: Sides) -> Mapping[str, object] | None:
    if seen.shown.kinds[:1] != ("calls",):
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
        lambda seen: seen.places.equal_tensors() if seen.places is not None else None,
        "{count} tensors of {side} hold the same numbers ({names}), those of {other} are drawn apart",
        "split the key, or draw on from one generator, for each of them",
    ),
    Rule(
        lambda seen: seen.places.odd_tensors() if seen.places is not None else None,
        "{names} of B {is} {factor} times what A has there, the other {rest} of the role are alike",
        "draw {names} as the others are",
    ),
    Rule(
        lambda seen: seen.places.odd_rows() if seen.places is not None else None,
        "{rows} of A: {a}; of B: {b}; the other rows are alike",
        "let B have these rows as A has them: a row for padding, a gate's bias",
    ),
    Rule(
        _packed,
        "in rows {rows} B's weights are {factor} times A's, in the others they are alike",
        "draw all pieces of a packed matrix as A draws them",
    ),
    Rule(
        _packed_fans,
        "{side} draws the packed matrix {whole} at once, and {other} each of its pieces {piece}: both by {formula},"
        " whose fan_out counts all pieces in {side}",
        "draw each piece of the packed matrix by its own fans, or all at once in both",
    ),
    Rule(_constants, "A {a}, B {b}", "{fix}"),
    Rule(_kind, "A {a}, B {b}", "draw B as A is drawn: the entries of a call must know the same of one another"),
    Rule(
        _squared,
        "{side}'s variance is the square of {other}'s: it stands where the standard deviation belongs",
        "take the square root once in both: normal(0, sqrt(variance))",
    ),
    Rule(
        _divisor,
        "A's variance is {a}, B's is {b}: B divides by {db} where A divides by {da}",
        "divide by {da} in B, or declare which axis is the input (--layouts)",
    ),
    Rule(
        _truncation,
        "{lacks} lacks the factor 1/{root} of the truncation ({what}): its variance is {share} of {has}'s",
        "divide the standard deviation by {root} before cutting",
    ),
    Rule(
        _gains,
        "both are orthogonal, and the gain of {larger} is {factor} times that of {other}{said}",
        "give both one gain: draw piece by piece in both or in neither, or multiply {larger} by {inverse}",
    ),
    Rule(
        _fan_of_the_shard,
        "{side}'s weights are {factor} times {other}'s, the root of its {world} ranks: the fan of the shard stands for"
        " that of the whole",
        "divide by the fan of the whole on every rank",
    ),
    Rule(
        _depth,
        "{small}'s weights are scaled by 1/{root} (L = {blocks} blocks), {large}'s are not",
        "scale the residual writers in both, or in neither",
    ),
    Rule(_fans, "A's variance is {a}, B's is {b}: B's weights are {factor} times A's", "give B the variance {a}"),
    Rule(_factor, "B's weights are {factor} times A's (variance {b} against {a}{laws})", "multiply B's by {inverse}"),
    Rule(_shapes, "B's weights are {from} to {to} times A's, by shape (variance {b} against {a})", "let B follow {a}"),
    Rule(_means, "the mean is {b} standard deviations in B, {a} in A", "draw B around the mean of A"),
    Rule(
        _rounded,
        "{side} holds numbers of {dtype} alone, {other} does not: it was drawn in, or rounded to, {dtype}",
        "draw both in one type; a draw in {dtype} has few sizes and no far tail",
    ),
    Rule(_families, "A is {a}, B is {b}, of one variance", "draw B from the law of A"),
    Rule(
        _calls,
        "whole calls differ in size: by {a} % from call to call in A, by {b} % in B",
        "let no factor of a call be drawn, or the same in both",
    ),
)


def _inverse(ratio: float | None) -> float | None:
    return None if ratio is None else 1 / ratio
