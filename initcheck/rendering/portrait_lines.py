"""What is known of models and pairs beside the verdicts, as lines behind the findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from initcheck.rendering.model_lines import is_portrait, laws_lines, model_lines, note_lines, writes_lines
from initcheck.rendering.pair_lines import pair_lines
from initcheck.report.report import Report
from initcheck.safe_text import escaped


def portrait_lines(report: Report, order: Sequence[str], *, every: bool, laws: bool, writes: bool) -> Iterator[str]:
    """What is known of models beside the verdicts: laws, and how the signal grows; else of what is built already.

    Args:
        report: of the run.
        order: the claims on models, as they are stated.
        every: whether models that were built here are shown too.
        laws: whether every group of tensors is listed with its law.
        writes: whether the lines that wrote their tensors are listed.
    """
    for name in report.initializers:
        shown = report.contracts.get(name, {})
        if "compared" in shown:
            yield from pair_lines(name, shown, every=every)
        if not is_portrait(shown):
            continue
        if every or shown.get("built"):
            yield from model_lines(report, name, order)
        yield from note_lines(report.of(name))
        if laws:
            yield from ("", f"laws of {escaped(name, 60)}", *(escaped(line, 400) for line in laws_lines(shown)))
        if writes:
            lines = writes_lines(shown) or ["   no line was seen to write its tensors"]
            yield from ("", f"writes of {escaped(name, 60)}", *(escaped(line, 400) for line in lines))
