"""Two functions of a shape, compared shape by shape."""

from __future__ import annotations

import dataclasses
import time
from functools import partial

import numpy as np

from initcheck.comparison.causes.difference import cause_of_difference
from initcheck.comparison.causes.differing import Sides
from initcheck.comparison.causes.sides import Side, both_laws
from initcheck.comparison.drawn import Drawn
from initcheck.comparison.exchange import FIRST, Answer, Exchange, compare
from initcheck.comparison.layers import WeightOfLayer
from initcheck.comparison.parts import Compared, Comparison, Terms
from initcheck.comparison.shapes import Asked, asked_of_both
from initcheck.contract.layer import Layer
from initcheck.draws.call import BrokenCall, OutOfTime
from initcheck.seeds import Seeds

# Seeds at which bits are compared first, at every shape.
_BITS = 8


def compare_functions(
    a: Drawn,
    b: Drawn,
    terms: Terms,
    *,
    every: bool = True,
    asked: Asked | None = None,
) -> Comparison:
    """Compare two functions of a shape: bits of the same seeds first, then laws, shape by shape.

    DIFFERENT of any shape is false with probability <= alpha, which the shapes share. SAME of every shape is wrong
    with probability <= beta: where one is not the same, that one must have been called so.

    Args:
        a, b: the calls of each; their names differ, or their calls would be the same.
        terms: among them which shapes.
        every: whether every shape is drawn where one is DIFFERENT already.
        asked: what both are asked for, where it is not the shapes of the profile.

    Raises:
        BrokenCall: neither takes any of the shapes.
    """
    asked = asked or asked_of_both(a.initializer, b.initializer, terms.profile)
    layers, missing = _taken(a, b, asked)
    same_bits = _same_bits(a, b, layers, terms.seed)
    if same_bits:
        why = f"the same bits at {same_bits} seeds"
        parts = [_part(x, y, Answer.SAME, why=why) for x, y in layers]
        return _comparison(a, b, parts, missing, asked, same_bits)
    level = terms.alpha / max(1, len(layers))
    parts = []
    for x, y in layers:
        if terms.deadline is not None and time.monotonic() > terms.deadline:
            parts.append(_part(x, y, Answer.UNDECIDED, why="the time was over before it was drawn"))
            continue
        try:
            shown = compare(partial(a.calls, x), partial(b.calls, y), alpha=level, beta=terms.beta)
        except (BrokenCall, OutOfTime) as error:
            parts.append(_part(x, y, Answer.UNDECIDED, why=str(error) or "the time was over"))
            continue
        parts.append(_part(x, y, shown.answer, shown))
        if shown.answer is Answer.DIFFERENT and not every:
            break
    return _comparison(a, b, _explained(a, b, layers, parts), missing, asked, 0)


def _taken(a: Drawn, b: Drawn, asked: Asked) -> tuple[list[tuple[Layer, Layer]], tuple[str, ...]]:
    """The layers that both take, and what only one of them takes."""
    kept, missing = [], []
    first: BrokenCall | None = None
    for x, y in asked.layers:
        broken = [_broken(side, layer) for side, layer in ((a, x), (b, y))]
        if broken == [None, None]:
            kept.append((x, y))
        elif None in broken:
            which, layer = ("A", x) if broken[0] is not None else ("B", y)
            missing.append(f"{which} gives no weights of shape {layer.shape}: it {broken[0] or broken[1]}")
        first = first or broken[0] or broken[1]
    if not kept and not missing and first is not None:
        raise first
    return kept, tuple(missing)


def _broken(side: Drawn, layer: Layer) -> BrokenCall | None:
    try:
        side.calls(layer, 0, 1)
    except BrokenCall as broken:
        return broken
    return None


def _same_bits(a: Drawn, b: Drawn, layers: list[tuple[Layer, Layer]], seed: int) -> int:
    """How many seeds gave both the same bits at every shape; 0 where one did not, or there is no shape."""
    seeds = Seeds(seed, "the same bits").upto(_BITS)
    for x, y in layers:
        for stop in (1, _BITS):  # one seed tells most
            one, other = a.seeded(x, seeds[:stop]), b.seeded(y, seeds[:stop])
            if not np.array_equal(one, other, equal_nan=True):
                return 0
    return _BITS if layers else 0


def _part(x: Layer, y: Layer, answer: Answer, shown: Exchange | None = None, why: str = "") -> Compared:
    name = f"{_path(x, y)} {x.shape}".strip()
    return Compared(name=name, shape=x.shape, answer=answer, exchange=shown, why=why)


def _path(x: Layer, y: Layer) -> str:
    """The name of the weight where one of the two is a layer's."""
    return next((layer.path for layer in (x, y) if isinstance(layer, WeightOfLayer)), "")


def _explained(a: Drawn, b: Drawn, layers: list[tuple[Layer, Layer]], parts: list[Compared]) -> list[Compared]:
    """The parts with what each side seems to be; those that differ with the likely cause.

    Several weights of one layer have a law each.
    """
    paths = list(dict.fromkeys(_path(*two) for two in layers))
    if len(paths) > 1:
        groups = [[k for k in range(len(parts)) if _path(*layers[k]) == path] for path in paths]
        told = {
            k: part
            for group in groups
            for k, part in zip(
                group, _explained(a, b, [layers[k] for k in group], [parts[k] for k in group]), strict=True
            )
        }
        return [told[k] for k in range(len(parts))]
    shown = {k: p.exchange for k, p in enumerate(parts) if p.answer is Answer.DIFFERENT and p.exchange is not None}
    drawn = [k for k, p in enumerate(parts) if p.exchange is not None]
    if not drawn:
        return parts
    sides = [
        Side({layers[k][n]: side.calls(layers[k][n], 0, FIRST + 32) for k in drawn}) for n, side in enumerate((a, b))
    ]
    parts = [dataclasses.replace(p, laws=(sides[0].words, sides[1].words)) for p in parts]
    if not shown:
        return parts
    clearest = min(shown.values(), key=lambda e: (e.pairs, -e.log10_e))
    ratios = []
    for k, exchange in shown.items():
        x, y = (s.second_moment(layers[k][n]) for n, s in enumerate(sides))
        ratios.append(exchange.ratio(x, y, (FIRST + 32) / (FIRST + exchange.pairs)))
    found = cause_of_difference(Sides(sides[0], sides[1], clearest.feature.name, clearest.kinds, tuple(ratios)))
    for k in shown:
        drawn_of = [side.calls[layers[k][n]] for n, side in enumerate(sides)]
        parts[k] = dataclasses.replace(parts[k], cause=found.sentence, fix=found.fix, pictures=both_laws(*drawn_of))
    return parts


def _comparison(
    a: Drawn, b: Drawn, parts: list[Compared], missing: tuple[str, ...], asked: Asked, same_bits: int
) -> Comparison:
    return Comparison(
        parts=parts,
        missing=missing,
        notes=asked.notes,
        same_bits=same_bits,
        calls=a.draws.calls,
        weights=a.draws.weights + b.draws.weights,
    )
