"""How far a run is, as a bar on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from initcheck.report.verdict import Result
from initcheck.runs.plan import Plan
from initcheck.safe_text import escaped


@contextmanager
def progress(plan: Plan) -> Iterator[Callable[[Result], None]]:
    """A bar on stderr where that is a terminal, else nothing; between two verdicts it says what is being built."""
    if not sys.stderr.isatty() or not plan.total:
        yield lambda result: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("initcheck", total=plan.total)
        plan.told_to(lambda text: bar.update(task, description=escaped(text, 60)))
        failed = 0

        def advance(result: Result) -> None:
            nonlocal failed
            failed += result.verdict.value == "FAILS"
            what = f"{escaped(result.initializer, 30)} {result.claim}"
            bar.update(task, advance=1, description=f"{what} ({failed} fail)" if failed else what)

        yield advance
