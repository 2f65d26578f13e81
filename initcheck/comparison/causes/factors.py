"""What a factor between the sizes of two starts comes from: a fan, a depth, a truncation, a piece, a rank."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from initcheck.comparison.causes.differing import NEAR, Sides
from initcheck.comparison.causes.places import each_squared
from initcheck.diagnosis.evidence.formulas import number

# A piece whose second moment differs by less is like the other side's.
_PIECE = 0.15
# Pieces that a matrix may hold: gate and up, the gates of a GRU or q, k and v, those of an LSTM.
_PACKED = (2, 3, 4)


def divisor(seen: Sides) -> Mapping[str, object] | None:
    """Each side's variance follows a number of its own over several shapes."""
    laws = seen.a.law, seen.b.law
    if laws[0] is None or laws[1] is None or not seen.scaled or len(seen.a.samples) < 3 or seen.ratio is not None:
        return None
    if laws[0].denominator.name == laws[1].denominator.name:
        return None
    return {"a": seen.a.variance, "b": seen.b.variance, "da": laws[0].denominator.name, "db": laws[1].denominator.name}


def squared(seen: Sides) -> Mapping[str, object] | None:
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


def truncation(seen: Sides) -> Mapping[str, object] | None:
    """One side cuts a normal and lacks the factor that makes good what cutting takes."""
    for one, other, ratio, names in ((seen.a, seen.b, seen.ratio, "AB"), (seen.b, seen.a, _inverse(seen.ratio), "BA")):
        share = other.family.share
        if ratio is not None and share < 0.985 and abs(ratio / share - 1) < NEAR and one.family.share <= 1:
            return {
                "lacks": names[1], "has": names[0], "share": f"{share:.4g}", "root": f"{math.sqrt(share):.4g}",
                "what": other.family.text,
            }  # fmt: skip
    return None


def packed(seen: Sides) -> Mapping[str, object] | None:
    """A piece of a packed matrix differs and another does not: q, k or v, or a gate."""
    off = [k for k, ratio in enumerate(seen.pieces) if abs(math.log(ratio)) > _PIECE]
    if not off or len(off) == len(seen.pieces) or not seen.shape:
        return None
    rows, count = seen.shape[0], len(seen.pieces)
    where = [f"{k * rows // count} to {(k + 1) * rows // count - 1} (piece {k + 1} of {count})" for k in off]
    factors = {number(math.sqrt(seen.pieces[k])) for k in off}
    return {"rows": ", ".join(where), "factor": " and ".join(sorted(factors))}


def packed_fans(seen: Sides) -> Mapping[str, object] | None:
    """One side drew a packed matrix at once, by its fans, and the other each piece by the same formula.

    Where both hold it packed the pieces are not known: the sum of the fans alone is believed, since a formula of one
    fan with another factor may look the same, and not where the whole matrix follows a formula that others follow too.
    """
    if not seen.scaled or len(seen.shape) < 2:
        return None
    known = [(*seen.packed, seen.shape, "fan_out")] if seen.packed is not None else []
    rows, *rest = seen.shape
    found = known or [
        (side, seen.shape, (rows // count, *rest), "(fan_in + fan_out)")
        for side in "BA"
        for count in _PACKED
        if rows % count == 0
    ]
    for side, whole, piece, fan in found:
        sides = (seen.a, seen.b) if side == "A" else (seen.b, seen.a)
        at_once, apart = (s.samples[0].mean_square for s in sides)
        both = [f for f in formulas(at_once, whole) if fan in f and f in set(formulas(apart, piece))]
        # Of a square piece 1/fan_in is the same: it is meant where the other matrices of that side follow it too.
        followed = seen.shared[1 if side == "A" else 0]
        plain = max((followed.get(f, 0) for f in formulas(apart, seen.shape)), default=0)
        if both and (known or plain < 2):
            other = "B" if side == "A" else "A"
            return {"side": side, "other": other, "whole": whole, "piece": piece, "formula": both[0]}
    return None


def gains(seen: Sides) -> Mapping[str, object] | None:
    """Both are orthogonal, of two gains; pieces under one another are one orthogonal matrix of a larger gain."""
    if seen.ratio is None or not seen.scaled or not seen.a.family.name == seen.b.family.name == "orthogonal":
        return None
    larger, factor = ("B", math.sqrt(seen.ratio)) if seen.ratio > 1 else ("A", 1 / math.sqrt(seen.ratio))
    pieces = round(factor * factor)
    stacked = seen.shape and seen.shape[0] % pieces == 0 and abs(factor * factor / pieces - 1) < NEAR and pieces > 1
    said = f", as {pieces} orthogonal pieces under one another have it" if stacked else ""
    other = "A" if larger == "B" else "B"
    return {"larger": larger, "other": other, "factor": number(factor), "said": said, "inverse": number(1 / factor)}


def depth(seen: Sides) -> Mapping[str, object] | None:
    """One side is scaled by a power of the number of blocks, and the other is not.

    That is done to what writes to the residual stream: where most matrices of the blocks differ so, it is no depth.
    """
    if seen.ratio is None or seen.blocks < 2 or seen.widespread:
        return None
    for names, ratio in (("BA", seen.ratio), ("AB", 1 / seen.ratio)):
        for text, power in (("sqrt(2 L)", 2 * seen.blocks), ("sqrt(L)", seen.blocks)):
            if abs(ratio * power - 1) < 0.05:
                return {"small": names[0], "large": names[1], "root": text, "blocks": seen.blocks}
    return None


def fan_of_the_shard(seen: Sides) -> Mapping[str, object] | None:
    """The whole that ranks hold together is larger by their number: each divides by what it holds itself."""
    if seen.ratio is None or not seen.scaled:
        return None
    for side, other, ratio, world in zip("BA", "AB", (seen.ratio, 1 / seen.ratio), seen.worlds[::-1], strict=True):
        if world is not None and abs(ratio / world - 1) < 2 * NEAR:
            return {"side": side, "other": other, "factor": number(math.sqrt(ratio)), "world": world}
    return None


def fans_of_the_shard(seen: Sides) -> Mapping[str, object] | None:
    """The whole that ranks hold together follows a formula of the sum of its fans by the shape of one shard."""
    if not seen.scaled or len(seen.shape) < 2:
        return None
    sides = (seen.a, seen.b)
    for k, world in enumerate(seen.worlds):
        if world is None:
            continue
        for axis in (0, 1):
            piece = tuple(n // world if i == axis else n for i, n in enumerate(seen.shape))
            own = set(formulas(sides[k].samples[0].mean_square, piece))
            both = [f for f in formulas(sides[1 - k].samples[0].mean_square, seen.shape) if "+" in f and f in own]
            if both and piece[axis] * world == seen.shape[axis]:
                ratio = sides[k].samples[0].mean_square / sides[1 - k].samples[0].mean_square
                return {
                    "side": "AB"[k], "other": "BA"[k], "factor": number(math.sqrt(ratio)), "formula": both[0],
                    "piece": piece, "whole": seen.shape,
                }  # fmt: skip
    return None


def fan_of_the_stack(seen: Sides) -> Mapping[str, object] | None:
    """One side drew a stack of layers or experts by fans that count its first axis too."""
    if seen.ratio is None or not seen.scaled or len(seen.shape) < 2:
        return None
    for side, other, ratio, count, apart in (
        ("B", "A", seen.ratio, seen.stacks[1], seen.a), ("A", "B", 1 / seen.ratio, seen.stacks[0], seen.b)
    ):  # fmt: skip
        by_fan = any("fan" in formula for formula in formulas(apart.samples[0].mean_square, seen.shape))
        if count > 1 and by_fan and abs(ratio * count - 1) < 2 * NEAR:
            return {"side": side, "other": other, "factor": number(math.sqrt(ratio)), "count": count}
    return None


def fans(seen: Sides) -> Mapping[str, object] | None:
    """Both standard deviations of one matrix follow a fan, and not the same one."""
    if seen.ratio is None or not seen.scaled or len(seen.shape) < 2:
        return None
    found: list[str] = []
    for side, shared in zip((seen.a, seen.b), seen.shared, strict=True):
        fitting = list(formulas(side.samples[0].mean_square, seen.shape))
        if not fitting:
            return None
        # At one shape 2/fan_out may be 1/fan_in: what the other matrices of the model follow too is meant. A third is
        # what a uniform between -1 and 1 has.
        uniform = side.family.name == "uniform"
        found.append(max(fitting, key=lambda formula: (shared.get(formula, 0), uniform or "/(3 " not in formula)))
    return {"a": found[0], "b": found[1], "factor": number(math.sqrt(seen.ratio))}


def formulas(variance: float, shape: tuple[int, ...]) -> Iterator[str]:
    """The usual formulas that give a variance at a shape, units first: of some shapes there are several.

    >>> list(formulas(1 / 16, (32, 16))), list(formulas(1 / 48, (8, 16)))
    (['1/fan_in', '2/fan_out'], ['1/(3 fan_in)'])
    """
    fan_in, fan_out = math.prod(shape[1:]), shape[0] * math.prod(shape[2:])
    fans = {"fan_in": fan_in, "fan_out": fan_out, "(fan_in + fan_out)": fan_in + fan_out}
    powers = {"fan_in": (1, 2, 1 / 3), "fan_out": (1, 2, 1 / 3), "(fan_in + fan_out)": (2,)}
    for name, fan in fans.items():
        for power in powers[name]:
            if abs(variance * fan / power - 1) < NEAR:
                yield f"1/(3 {name})" if power < 1 else f"{power}/{name}"
    std = math.sqrt(variance)
    round_one = float(f"{std:.1g}") if std else 0.0
    if round_one and abs(std / round_one - 1) < NEAR / 2:
        yield f"{round_one:g}^2 at every width"


def factor(seen: Sides) -> Mapping[str, object] | None:
    """The sizes differ by one factor, whatever it comes from."""
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


def shapes(seen: Sides) -> Mapping[str, object] | None:
    """The sizes differ by factors that hang on the shape."""
    if not seen.scaled or seen.ratio is not None:
        return None
    words = [f"{math.sqrt(r):.3g}" for r, _ in sorted(set(seen.ratios))]
    return {"from": words[0], "to": words[-1], "a": seen.a.variance, "b": seen.b.variance}


def _inverse(ratio: float | None) -> float | None:
    return None if ratio is None else 1 / ratio
