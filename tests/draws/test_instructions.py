"""What makes calls dear is what they run, which is counted: the same on a slow machine, and under a debugger."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from initcheck.contract.layer import Layer
from initcheck.draws.draws import Draws
from initcheck.draws.instructions import calls_are_dear, instructions
from initcheck.targets.loading import load

CASES = (Layer((1, 1)), Layer((16, 16)))


def entry_by_entry(shape, rng):
    weights = np.empty(shape)
    for i in range(shape[0]):
        for j in range(shape[1]):
            weights[i, j] = rng.normal(0, np.sqrt(2 / shape[1]))
    return weights


def at_length(shape, rng):
    """As ``rvs`` of ``scipy.stats``: thousands of instructions whatever is drawn."""
    checked = 0
    for number in range(600):
        checked += number % 7
    return rng.normal(0, np.sqrt(2 / shape[1]), shape) + 0 * checked


def row_by_row(shape, rng):
    return np.stack([rng.normal(0, np.sqrt(2 / shape[1]), shape[1]) for _ in range(shape[0])])


def plain(shape, rng):
    return rng.normal(0, np.sqrt(2 / shape[1]), shape)


def slow_at_first(shape, rng):
    if not MADE:
        MADE.append([n * n for n in range(100_000)])
    return plain(shape, rng)


def broken(shape, rng):
    if shape != (5, 7):
        raise ValueError(shape)
    return plain(shape, rng)


MADE: list[list[int]] = []


def of(function):
    [initializer] = load(function).initializers
    return calls_are_dear(Draws(initializer, 0), CASES, "float32")


@pytest.mark.parametrize(("function", "part"), [(entry_by_entry, " a weight"), (at_length, ",000 instructions")])
def test_calls_that_run_too_much_are_dear(function, part):
    assert part in of(function)


@pytest.mark.parametrize("function", [plain, row_by_row, slow_at_first, broken], ids=lambda f: f.__name__)
def test_usual_calls_are_not_dear(function):
    assert of(function) is None


def test_one_case_says_what_a_call_costs_as_a_whole():
    [initializer] = load(at_length).initializers
    assert calls_are_dear(Draws(initializer, 0), CASES[:1], "float32") is not None


def test_counting_ends_where_it_has_seen_enough_and_what_listened_goes_on():
    heard = []

    def listener(frame, event, argument):
        heard.append(event)
        return None

    before = sys.gettrace()
    sys.settrace(listener)
    try:
        seen = instructions(lambda: [n for n in range(1_000) for _ in range(100)], 5_000)
        assert sys.gettrace() is listener
    finally:
        sys.settrace(before)
    assert 5_000 <= seen < 6_000


def test_what_listened_goes_on_where_a_call_raises():
    before = sys.gettrace()
    with pytest.raises(ZeroDivisionError):
        instructions(lambda: 1 / 0)
    assert sys.gettrace() is before


def test_the_same_code_runs_the_same_number_of_instructions():
    rng = np.random.default_rng(0)
    assert len({instructions(lambda: entry_by_entry((5, 7), rng)) for _ in range(3)}) == 1


def test_what_is_run_for_the_first_time_is_counted_too():
    rng = np.random.default_rng(0)
    fresh: dict[str, Any] = {}
    # A code object of its own, which nothing has counted or traced.
    exec("def first(rng):\n    return [rng.normal() for _ in range(50)]", fresh)
    first, again = (instructions(lambda: fresh["first"](rng)) for _ in range(2))
    assert first == again > 100


@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="Python 3.12 has sys.monitoring")
def test_a_call_may_start_a_debugger_coverage_and_a_profiler():
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined]
    promised = [t for t in range(3) if monitoring.get_tool(t) is None]

    def starts() -> None:
        for tool in promised:
            monitoring.use_tool_id(tool, "of the user")
            monitoring.free_tool_id(tool)

    assert instructions(starts) > 0
