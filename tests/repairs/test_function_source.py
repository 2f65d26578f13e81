"""The source of a user's function, changed in places and run again."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import os

import numpy as np
import pytest

from initcheck.repairs.edits.edit import computed
from initcheck.repairs.edits.function_source import Change, source_of, why_left
from initcheck.repairs.repair import Draft, edited


def he(shape, rng):
    """He's weights."""
    std = math.sqrt(1 / shape[1])  # of 2
    return rng.normal(0, std, shape)


def logged(shape, rng):
    os.remove("log")
    return rng.normal(0, 1, shape)


@functools.lru_cache
def kept(shape):
    return np.zeros(shape)


def closed_over(gain):
    def init(shape, rng):
        return gain * rng.normal(0, 1, shape)

    return init


def test_a_change_is_made_where_it_was_asked_for_and_runs() -> None:
    source = source_of(he)
    assert source is not None
    one = next(n for n in computed(source) if source.of(n) == "1")
    text = source.changed([source.change(one, "2")])
    assert text is not None
    assert text == source.text.replace("sqrt(1 /", "sqrt(2 /")
    rng = np.random.default_rng
    assert np.allclose(source.run(text)((8, 8), rng(0)), he((8, 8), rng(0)) * math.sqrt(2))


def test_changes_that_overlap_are_none() -> None:
    source = source_of(he)
    assert source is not None
    assert source.changed([Change(4, 8, "a"), Change(6, 9, "b")]) is None


def test_a_function_keeps_what_it_closes_over() -> None:
    source = source_of(closed_over(3.0))
    assert source is not None
    made = source.run(source.text.replace("gain *", "2 * gain *"))
    assert np.allclose(made((4, 4), np.random.default_rng(0)), 6 * np.random.default_rng(0).normal(0, 1, (4, 4)))


def test_a_statement_goes_with_its_line_and_its_comment() -> None:
    source = source_of(he)
    assert source is not None
    text = source.changed([source.without(source.tree.body[1])])
    assert text is not None
    assert "std =" not in text
    assert text.count("\n") == source.text.count("\n") - 1


def test_decorators_that_made_something_else_stay_in_the_text() -> None:
    source = source_of(kept)
    assert source is not None
    assert source.text.startswith("@functools.lru_cache\ndef kept(shape):")


@pytest.mark.parametrize("obj", [logged, np.zeros, math.sqrt, lambda shape, rng: rng.normal(size=shape)])
def test_what_may_do_harm_or_is_no_function_of_the_users_is_left_alone(obj: object) -> None:
    assert source_of(obj) is None


class Scheme:
    """An initializer as a class, whose method is what is written."""

    def __init__(self, gain=2.0):
        self.gain = gain

    def __call__(self, shape, rng):
        return super().__repr__() and rng.normal(0, self.gain / shape[1], shape)


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    """One that nothing is written into, and that has no dictionary."""

    gain: float = 2.0

    def __call__(self, shape, rng):
        return rng.normal(0, self.gain / shape[1], shape)


def gained(shape, rng, gain):
    return gain * (rng.normal(0, 1, shape))


@pytest.mark.parametrize(
    ("obj", "names"),
    [
        (Scheme, ("shape", "rng")),
        (Scheme(3.0), ("shape", "rng")),
        (Frozen(3.0), ("shape", "rng")),
        (functools.partial(gained, gain=3.0), ("shape", "rng", "gain")),
        (functools.partial(Scheme, 3.0), ("shape", "rng")),
    ],
    ids=["class", "instance", "frozen", "partial", "partial of a class"],
)
def test_a_method_and_what_a_partial_calls_are_written_and_changed(obj, names) -> None:
    source = source_of(obj)
    assert source is not None
    assert source.names == names
    changed = source.run(source.text.replace("rng.normal", "7 + 0 * rng.normal"))
    if isinstance(obj, type) or (isinstance(obj, functools.partial) and obj.func is Scheme):
        changed = changed()
    assert np.all(changed((2, 3), np.random.default_rng(0)) == 7 + 14 * (names[-1] == "gain"))


def test_lines_of_a_method_are_printed_as_they_stand_in_the_file() -> None:
    source = source_of(Scheme)
    assert source is not None
    draft = Draft(source.text.replace("self.gain / shape[1]", "self.gain"), "number", "another number")
    repair = edited(source, draft)
    file = inspect.getsourcelines(Scheme)[0]
    assert repair.before == file[repair.line - inspect.getsourcelines(Scheme)[1]].rstrip("\n")
    assert repair.code.startswith("        return super()")


def test_why_a_function_is_left_alone_is_said() -> None:
    assert "a changed copy of it would do as well" in why_left(logged)
    assert "it is a lambda" in why_left(lambda shape, rng: rng.normal(size=shape))
    assert "no function of yours" in why_left(np.zeros)
