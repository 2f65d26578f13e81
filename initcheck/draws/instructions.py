"""How much Python a call runs, in instructions of its interpreter: what makes calls dear is counted, never timed."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

from initcheck.contract.case import Case
from initcheck.draws.call import BrokenCall
from initcheck.draws.draws import Draws
from initcheck.draws.streams import Stream

# What an ordinary check asks of an initializer, and the instructions that this may come to: some ten seconds.
_CALLS, _WEIGHTS, _MOST = 50_000, 40_000_000, 150_000_000
# Beyond so many a call is dear whatever is left of it, and counting ends: it takes ten times what it counts.
_ENOUGH = 300_000
# Ids for `sys.monitoring`, those last that a debugger, coverage and a profiler are promised: a call may start one.
_TOOLS = (4, 3, 5, 2, 1, 0)
# The second call of a case is counted alone and with two others: what is run once a batch is ours.
_STREAM = Stream("cost")


def instructions(run: Callable[[], object], enough: int = _ENOUGH) -> int:
    """How many instructions of Python a function runs with all that it calls, in this thread; at most about ``enough``.

    A debugger or a measurement of coverage that was listening goes on where it was.

    >>> instructions(lambda: sum(range(1_000))) < instructions(lambda: [n * n for n in range(1_000)]) < 20_000
    True
    """
    monitoring: Any = getattr(sys, "monitoring", None)
    tool = next((t for t in _TOOLS if monitoring.get_tool(t) is None), None) if monitoring is not None else None
    if tool is not None:
        return _heard(run, enough, monitoring, tool)
    return _traced(run, enough)


def _heard(run: Callable[[], object], enough: int, monitoring: Any, tool: int) -> int:
    """By ``sys.monitoring``: from Python 3.12 on tracing misses the instructions of a frame that it sees first."""
    seen, here = 0, threading.get_ident()

    def count(*_: Any) -> None:
        nonlocal seen
        if threading.get_ident() == here:
            seen += 1
            if seen >= enough:
                monitoring.set_events(tool, 0)

    monitoring.use_tool_id(tool, "initcheck")
    monitoring.register_callback(tool, monitoring.events.INSTRUCTION, count)
    monitoring.set_events(tool, monitoring.events.INSTRUCTION)
    try:
        run()
    finally:
        monitoring.set_events(tool, 0)
        monitoring.register_callback(tool, monitoring.events.INSTRUCTION, None)
        monitoring.free_tool_id(tool)
    return seen


def _traced(run: Callable[[], object], enough: int) -> int:
    """By ``sys.settrace``."""
    seen = 0

    def of_a_frame(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal seen
        seen += event == "opcode"
        if seen < enough:
            return of_a_frame
        frame.f_trace_opcodes = False
        return None

    def entered(frame: FrameType, *_: Any) -> Any:
        if seen >= enough:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return of_a_frame

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        run()
    finally:
        sys.settrace(before)
    return seen


def calls_are_dear(draws: Draws, cases: Iterable[Case], dtype: str) -> str | None:
    """Why an ordinary check would take minutes of these calls, in words; None where it would not, or where one breaks.

    A call that runs thousands of instructions whatever it draws, as those of ``scipy.stats`` do, or dozens a weight, as
    a loop over entries does. It is counted, so that the same code is dear on every machine.

    Args:
        draws: of the initializer.
        cases: two of different size; of one alone no weight's share is known.
        dtype: what is asked for.
    """
    try:
        counted = sorted((case.weights, _of_a_call(draws, case, dtype)) for case in cases)
    except BrokenCall:
        return None
    (small, least), (large, most) = counted[0], counted[-1]
    a_weight = max(0.0, (most - least) / (large - small)) if large > small else 0.0
    a_call = max(0.0, least - small * a_weight)
    if a_call * _CALLS + a_weight * _WEIGHTS <= _MOST:
        return None
    per_weight = f" and {_rounded(a_weight)} a weight" if a_weight >= 1 else ""
    return f"a call runs {_rounded(a_call)} instructions of Python{per_weight}"


def _of_a_call(draws: Draws, case: Case, dtype: str) -> float:
    seeds = draws.seeds(case, dtype, _STREAM, 0, 3)
    # What is made at first use is no part of what every call costs.
    draws.raw(case, dtype, seeds[:1], own=False)
    one, three = (instructions(lambda n=n: draws.raw(case, dtype, seeds[:n], own=False)) for n in (1, 3))  # type: ignore[misc]
    return (three - one) / 2 if three < _ENOUGH else float(_ENOUGH)


def _rounded(number: float) -> str:
    """To one digit: two versions of Python count a little differently.

    >>> _rounded(4_230), _rounded(14.6), _rounded(0.0)
    ('4,000', '10', '0')
    """
    digits = 10 ** max(0, math.floor(math.log10(number))) if number >= 1 else 1
    return f"{round(number / digits) * digits:,}"
