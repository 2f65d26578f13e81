"""The edits of a function that might mend failing claims, the smallest first; each is yet to be proven."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator

from initcheck.diagnosis.observed import Observed
from initcheck.repairs.edits.edit import Edit
from initcheck.repairs.edits.expressions import draw_edits, operand_edits
from initcheck.repairs.edits.formulas import (
    fan_edits,
    grouping_edits,
    number_edits,
    root_edits,
    width_edits,
    word_edits,
)
from initcheck.repairs.edits.function_source import FunctionSource
from initcheck.repairs.edits.generators import generator_edits
from initcheck.repairs.edits.plain_draw import plain_draw, std_text
from initcheck.repairs.edits.results import missing, result_edits, shape_of
from initcheck.repairs.edits.statements import return_edits, statement_edits

_FORMULA = frozenset(["scale", "law", "depth", "promises", "centering"])
_CALLS = frozenset(["memory", "globals", "randomness"])


def edits(source: FunctionSource, seen: Observed, topics: Collection[str | None]) -> Iterator[Edit]:
    """Single edits, by kind from the smallest on.

    Args:
        source: of the function.
        seen: what its draws show; its contract is the one it is held to.
        topics: what the failing claims are about.
    """
    about = {t for t in topics if t is not None}
    square = missing(seen.best_law, seen.contract) if about & _FORMULA else None
    if about & _CALLS:
        yield from generator_edits(source)
    returned = list(return_edits(source)) if about & {"promises", "memory", "precision"} else []
    yield from (edit for edit in returned if edit.kind != "axes")
    if about & _FORMULA:
        yield from grouping_edits(source)
        yield from number_edits(source, square)
        law, shape = seen.best_law, shape_of(source)
        if law is not None and law.denominator.name == "1" and seen.contract.std is None and shape is not None:
            std = std_text(seen.contract, shape, many_axes=source.many_axes)
            if "math." not in std or source.knows("math"):
                yield from width_edits(source, law.constant, std)
        yield from word_edits(source, seen.activation)
        yield from fan_edits(source)
        yield from root_edits(source)
    if about & {"memory", "globals"}:
        yield from statement_edits(source)
    yield from operand_edits(source)
    yield from draw_edits(source)
    yield from (edit for edit in returned if edit.kind == "axes")
    if not about & {"memory", "globals"}:
        yield from statement_edits(source)
    if about & {"randomness"} and not about & {"scale", "law"}:
        return
    if about & {"scale", "depth", "law", "centering"}:
        yield from (e for e in result_edits(source, seen.best_law, seen.contract) if e.kind != "signs")


def scale_edits(source: FunctionSource, seen: Observed) -> Iterator[Edit]:
    """Another number, or a factor, where the scale alone is wrong."""
    square = missing(seen.best_law, seen.contract)
    if square is not None:
        yield from number_edits(source, square)
        yield from (e for e in result_edits(source, seen.best_law, seen.contract) if e.kind == "factor")


def pairs(source: FunctionSource, singles: Collection[Edit]) -> Iterator[Edit]:
    """Two edits at once, where no single one is enough."""
    for first, second in itertools.combinations(singles, 2):
        changes = (*first.changes, *second.changes)
        if source.changed(changes) is not None and first.kind in _PAIRED and second.kind in _PAIRED:
            yield Edit("two edits", f"{first.words}; and {second.words}", changes)


_PAIRED = ("generator", "statement", "copy", "number", "operand", "law", "factor")


def last_resorts(source: FunctionSource, seen: Observed, topics: Collection[str | None], framework: str) -> list[Edit]:
    """A sign for every weight, where the mean is wrong; the function written anew, as the contract has it."""
    signs = [e for e in result_edits(source, None, seen.contract) if e.kind == "signs"] if "centering" in topics else []
    whole = plain_draw(source, seen.contract, framework, seen.family.name)
    return [*signs, *([whole] if whole is not None else [])]
