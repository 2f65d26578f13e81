"""Two models, compared role by role."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from initcheck.comparison.call_scores import LARGE_CALLS
from initcheck.comparison.causes.difference import cause_of_copies, cause_of_difference
from initcheck.comparison.causes.differing import Sides
from initcheck.comparison.causes.factors import formulas
from initcheck.comparison.causes.places import Places
from initcheck.comparison.causes.sides import Side, both_laws
from initcheck.comparison.exchange import Answer, Exchange, compare
from initcheck.comparison.parts import Compared, Comparison, Terms
from initcheck.comparison.weights.builds import LOOKED_FOR_COPIES, Builds, seen
from initcheck.comparison.weights.copies import copied_by_one, drawn_alike
from initcheck.comparison.weights.matching import match
from initcheck.comparison.weights.readings import Reading, added, readings
from initcheck.comparison.weights.roles import Role, View
from initcheck.comparison.weights.shards import Told
from initcheck.contract.layer import Layer
from initcheck.draws.call import OutOfTime
from initcheck.grouping import grouped
from initcheck.seeds import Seeds
from initcheck.wording import listed

Partners = tuple[View, View]

# Builds of each that choose what is compared, most that are compared, and seeds at which bits are.
_FIRST, _MOST, _BITS = 32, 600, 3
# Builds that a cause is read off.
_LOOKED_AT = 96
# A stack of layers is taken apart first, then their stacks of experts; then kernels by heads.
_READ_ANEW = 3
_FINE = 0.1
_USUAL = Terms()
_LEAST_ROWS = 12
# What the table of tokens is called, which a head may be tied to.
_TABLE = re.compile(r"emb|wte|tok", re.IGNORECASE)
# Ratios of variances, in logarithms, that are this near are one.
_SPREAD = 0.1
_COPIES = "tensors of {side} hold the same random numbers"


def compare_models(
    a: Builds,
    b: Builds,
    terms: Terms = _USUAL,
    *,
    shards: tuple[Told | None, Told | None] = (None, None),
) -> Comparison:
    """Compare two models: bits of the same seeds first, then the law of every role, a build of each making a pair.

    The roles share alpha. Under one law a build of A and one of B may change places with all that is in them, so that
    the bounds of ``compare`` hold whatever the tensors of one build know of one another.

    Args:
        a, b: their builds.
        terms: of a thorough profile roles are told apart as finely as shapes of functions are, which takes three times
            as many builds.
        shards: of each, what is told of the shards that it is put together from; None where one process built it.

    Raises:
        UsageError: one of them builds no model, or other tensors at another seed.
    """
    a.deadline = b.deadline = terms.deadline
    said = []
    partners, left, right = match(a.roles, b.roles)
    for _ in range(_READ_ANEW):
        anew = readings([role for role in left if not role.buffer], [role for role in right if not role.buffer])
        if not any(anew):
            break
        for side, found in zip((a, b), anew, strict=True):
            side.reads(found)
        said += list(_said(anew))
        partners, left, right = match(a.roles, b.roles)
    sums = added(left, a.roles), added(right, b.roles)
    for side, name, pairs in zip((a, b), "AB", sums, strict=True):
        side.adds(pairs)
        said += [
            f"{' and '.join(sorted(two, reverse=True))} of {name}: read as their sum, as an LSTM adds them"
            for two in pairs.items()
        ]
    if any(sums):
        partners, left, right = match(a.roles, b.roles)
    missing = (*_missing(left, "A", "B", b.roles), *_missing(right, "B", "A", a.roles))
    # A tensor without an entry, as of no classes or no heads, starts from nothing.
    partners = [(x, y) for x, y in partners if math.prod(x.shape)]
    notes = (*said, *_notes(partners, [role.path for role in (*left, *right) if role.buffer]))
    same_bits = _same_bits(a, b, partners, terms.seed)
    if same_bits:
        equal = [_part(*two, Answer.SAME, why=f"the same bits at {same_bits} seeds") for two in partners]
        return _comparison(a, b, equal, missing, notes, same_bits)
    a.watch([x for x, _ in partners])
    b.watch([y for _, y in partners])
    parts: list[Compared] = []
    shown: list[Exchange | None] = []
    for x, y in partners:
        exchange: Exchange | None = None
        with contextlib.suppress(OutOfTime):
            exchange = compare(
                partial(a.calls, x),
                partial(b.calls, y),
                alpha=terms.alpha / len(partners),
                beta=terms.beta,
                first=_FIRST,
                most=_MOST,
                least=_FINE if terms.profile == "thorough" else LARGE_CALLS,
            )
        shown.append(exchange)
    sizes = [_sizes(a, b, *two) if one is not None else (0.0, 0.0) for two, one in zip(partners, shown, strict=True)]
    ratios = [_ratio_in_blocks(x, one, two) for (x, _), one, two in zip(partners, shown, sizes, strict=True)]
    shapes = [x.shape for x, _ in partners]
    shared = _shared(shapes, [one for one, _ in sizes]), _shared(shapes, [other for _, other in sizes])
    for (x, y), one, ratio in zip(partners, shown, ratios, strict=True):
        if one is None:
            parts.append(_part(x, y, Answer.UNDECIDED, why=f"the time was over after {a.count:,} builds"))
        else:
            widespread = _is_widespread(ratio, ratios)
            parts.append(_told(a, b, x, y, one, shards, shared, widespread=widespread))
    return _comparison(a, b, _with_copies(a, b, partners, parts), missing, notes, 0)


def _missing(roles: Sequence[Role], has: str, lacks: str, others: Sequence[Role]) -> Iterator[str]:
    for role in roles:
        if role.buffer:
            continue
        several = f"{len(role.paths)} tensors" if len(role.paths) > 1 else "a tensor"
        said = f"{role.path} of {has}, {several} of shape {role.shape}, has no partner in {lacks}"
        table = next(
            (o.path for o in others if _TABLE.search(o.path) and o.shape in (role.shape, role.shape[::-1])), ""
        )
        head = table and len(role.paths) == 1 and len(role.shape) == 2 and not _TABLE.search(role.path)
        yield f"{said}, whose {table} is as large: the two may be tied there" if head else said


def _notes(partners: Sequence[Partners], alone: Sequence[str]) -> Iterator[str]:
    turned = [x.role.path for x, y in partners if x.role.turned != y.role.turned or y.turned]
    if turned:
        yield f"layouts aligned: {listed(turned, 1)} stored (in, out) on one side, (out, in) on the other"
    packed = dict.fromkeys(v.role.path for two in partners for v in two if v.rows is not None)
    if packed:
        yield f"compared piece by piece, since the other side holds the pieces apart: {', '.join(packed)}"
    if alone:
        yield f"buffers that only one has are not compared: {listed(alone, 4)}"


_READ = {
    "stacked": "taken apart along the first axis, which counts layers or experts",
    "inputs": "kernels with several axes of inputs or units, read as matrices",
    "rows": "read with one row a unit",
    "bare": "read without axes of length one",
    "flat": "read as vectors",
}


def _said(anew: tuple[Mapping[str, Reading], Mapping[str, Reading]]) -> Iterator[str]:
    """In which other shapes the tensors of each side are read, and for what."""
    for side, found in zip("AB", anew, strict=True):
        for kind in dict.fromkeys(reading.kind for reading in found.values()):
            paths = [path for path, reading in found.items() if reading.kind == kind]
            yield f"{listed(paths)} of {side}: {_READ[kind]}"


def _same_bits(a: Builds, b: Builds, partners: Sequence[Partners], seed: int) -> int:
    """How many seeds gave both the same bits in every role; 0 where one did not."""
    for number in Seeds(seed, "the same bits").upto(_BITS):
        one, other = ({t.path: t.values for t in side.build(number)} for side in (a, b))
        for x, y in partners:
            for mine, theirs in zip(x.role.paths, y.role.paths, strict=True):
                if not np.array_equal(seen(one[mine], x), seen(other[theirs], y), equal_nan=True):
                    return 0
    return _BITS if partners else 0


def _sizes(a: Builds, b: Builds, x: View, y: View) -> tuple[float, float]:
    """E w^2 of a role on both sides, of the builds that chose what is compared."""
    one, other = (np.square(side.calls(view, 0, _FIRST), dtype=np.float64).mean() for side, view in ((a, x), (b, y)))
    return float(one), float(other)


def _ratio_in_blocks(x: View, shown: Exchange | None, sizes: tuple[float, float]) -> float | None:
    """The logarithm of E w^2 of B over A's of matrices that each block has one of; None of other roles."""
    if len(x.role.paths) < 2 or len(x.shape) < 2 or shown is None:
        return None
    if shown.answer is not Answer.DIFFERENT:
        return 0.0
    one, other = sizes
    return math.log(other / one) if one > 0 and other > 0 else math.inf


def _shared(shapes: Sequence[tuple[int, ...]], sizes: Sequence[float]) -> Counter[str]:
    """How many shapes of a side each of the usual formulas fits, of those that have fans.

    What two formulas give at one shape they give at every matrix of that shape.
    """
    matrices = [(shape, size) for shape, size in zip(shapes, sizes, strict=True) if len(shape) > 1 and size > 0]
    fitting = {(formula, shape) for shape, size in matrices for formula in formulas(size, shape)}
    return Counter(formula for formula, _ in fitting)


def _is_widespread(ratio: float | None, ratios: Sequence[float | None]) -> bool:
    known = [r for r in ratios if r is not None]
    return ratio is not None and len(known) > 1 and 2 * sum(abs(r - ratio) < _SPREAD for r in known) > len(known)


def _told(
    a: Builds,
    b: Builds,
    x: View,
    y: View,
    shown: Exchange,
    shards: tuple[Told | None, Told | None],
    shared: tuple[Counter[str], Counter[str]],
    *,
    widespread: bool,
) -> Compared:
    """A part with what each side seems to be; one that differs with the likely cause and both laws."""
    drawn = min(_LOOKED_AT, _FIRST + shown.pairs)
    one, other = (side.calls(view, 0, drawn) for side, view in ((a, x), (b, y)))
    layer = Layer((one.shape[1], one.shape[2]))
    sides = Side({layer: one}, len(x.role.paths)), Side({layer: other}, len(y.role.paths))
    part = dataclasses.replace(_part(x, y, shown.answer, shown), laws=(sides[0].words, sides[1].words))
    if shown.answer is not Answer.DIFFERENT:
        return part
    mine, theirs = (side.second_moment(layer) for side in sides)
    blocks = len(x.role.paths) if len(x.role.paths) > 1 else 0
    found = cause_of_difference(
        Sides(
            *sides,
            shown.feature.name,
            shown.kinds,
            (shown.ratio(mine, theirs, drawn / (_FIRST + shown.pairs)),),
            shape=x.shape,
            packed=_packed(x, y),
            blocks=blocks,
            pieces=_pieces(one, other, len(x.role.paths)),
            places=_places(one, other, x, y),
            worlds=tuple(told.world if told is not None else None for told in shards),
            repeats=tuple(
                told is not None and not told.repeats.isdisjoint(view.role.paths)
                for told, view in zip(shards, (x, y), strict=True)
            ),
            widespread=widespread,
            shared=shared,
            stacks=(a.stacks.get(x.role.paths[0], 1), b.stacks.get(y.role.paths[0], 1)),
        )
    )
    return dataclasses.replace(part, cause=found.sentence, fix=found.fix, pictures=both_laws(one, other))


def _with_copies(a: Builds, b: Builds, partners: Sequence[Partners], parts: Sequence[Compared]) -> list[Compared]:
    """The parts, those DIFFERENT too that hold the same random numbers as others on one side alone.

    Each of them may follow its law, and be SAME by itself.
    """
    found = list(parts)
    if not parts or min(a.made, b.made) < LOOKED_FOR_COPIES:
        return found
    sides = [drawn_alike(side.orders([two[k] for two in partners])) for k, side in enumerate((a, b))]
    for side, groups in zip("AB", copied_by_one(*sides), strict=True):
        for alike in grouped((frozenset(role for role, _ in group), group) for group in groups).items():
            roles, places = sorted(alike[0]), [place for group in alike[1] for place in group]
            views = [partners[role][side == "B"] for role in roles]
            names = [view.name for view in views] if len(views) > 1 else list(views[0].role.paths)
            cause = cause_of_copies(side, names, len(places))
            for role in roles:
                part = found[role]
                differs = part.answer is Answer.DIFFERENT and part.cause and len(roles) > 1
                found[role] = dataclasses.replace(
                    part,
                    answer=Answer.DIFFERENT,
                    cause=f"{part.cause}; and {cause.sentence}" if differs else cause.sentence,
                    fix=f"{part.fix}; {cause.fix}" if differs else cause.fix,
                    why=_COPIES.format(side=side) if part.answer is not Answer.DIFFERENT else part.why,
                    exchange=part.exchange if part.answer is Answer.DIFFERENT else None,
                )
    return found


def _places(one: np.ndarray, other: np.ndarray, x: View, y: View) -> Places:
    mine, theirs = (w.reshape(len(w), len(x.role.paths), -1, w.shape[2]) for w in (one, other))
    return Places(mine, theirs, (x.role.paths, y.role.paths), x.shape[0] if x.shape else 1)


def _packed(x: View, y: View) -> tuple[str, tuple[int, ...]] | None:
    """Which side holds a piece in a larger matrix, and that matrix' shape."""
    inside = [(side, view.role.shape) for side, view in (("A", x), ("B", y)) if view.rows is not None]
    return inside[0] if len(inside) == 1 else None


def _pieces(one: np.ndarray, other: np.ndarray, tensors: int) -> tuple[float, ...]:
    """E w^2 of B over A's by halves, thirds or quarters of the rows: by the fewest that tell rows that differ apart."""
    sizes = [np.square(w, dtype=np.float64).mean(axis=(0, 2)).reshape(tensors, -1).mean(axis=0) for w in (one, other)]
    rows = len(sizes[0])
    if rows < _LEAST_ROWS or not (sizes[0].all() and sizes[1].all()):
        return ()
    best: tuple[float, tuple[float, ...]] | None = None
    for count in (2, 3, 4):
        edges = np.linspace(0, rows, count + 1).round().astype(int)
        ratios = [float(sizes[1][i:j].sum() / sizes[0][i:j].sum()) for i, j in pairwise(edges)]
        # What is left of the differences between rows once each piece has its own ratio.
        logs = np.log(sizes[1] / sizes[0])
        left = float(np.mean(np.square(logs - np.log(np.repeat(ratios, np.diff(edges))))))
        if best is None or left < 0.5 * best[0]:
            best = left, tuple(ratios)
    return best[1] if best is not None else ()


def _part(x: View, y: View, answer: Answer, shown: Exchange | None = None, why: str = "") -> Compared:
    return Compared(name=x.name, partner=y.name, shape=x.shape, answer=answer, exchange=shown, why=why)


def _comparison(
    a: Builds, b: Builds, parts: list[Compared], missing: tuple[str, ...], notes: tuple[str, ...], same_bits: int
) -> Comparison:
    return Comparison(
        parts=parts, missing=missing, notes=notes, same_bits=same_bits, calls=a.count, weights=a.weights + b.weights
    )
