"""Laws that stand leave a claim open, and all of them must fall for it to fail: no more are asked than that takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from initcheck.contract.contract import Contract
from initcheck.contract.layer import Layer
from initcheck.questions import one_law

LAYER = Layer((4, 4))


def why_left_open(rejected: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[str | None, list[str]]:
    """What a case is left open for, and the laws that were asked whether they stand."""
    asked: list[str] = []
    kept: dict[str, Any] = {}

    def asking(_: Any, law: Any, __: Layer) -> bool:
        asked.append(law.name)
        return bool(rejected(law.name))

    fit = SimpleNamespace(constant=1.0, denominator=one_law._LAWS[0], words="a law", samples={})
    monkeypatch.setattr(one_law, "_fitted", lambda *_: fit)
    monkeypatch.setattr(one_law, "_rejected", asking)
    trial: Any = SimpleNamespace(
        contract=Contract(), asks=lambda *_: None, keeps=lambda *_, unless, **__: kept.update(unless=unless)
    )
    one_law.follows_one_law(trial, LAYER)
    return kept["unless"](), asked


def test_where_laws_stand_three_are_named_and_no_more_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [law.name for law in one_law._LAWS]
    why, asked = why_left_open(lambda _: False, monkeypatch)
    assert asked == names[:3]
    assert why == f"the laws not rejected are c/{', c/'.join(names[:3])}"


def test_one_law_that_stands_is_found_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [law.name for law in one_law._LAWS]
    why, asked = why_left_open(lambda name: name != names[-1], monkeypatch)
    assert asked == names
    assert why == f"the laws not rejected are c/{names[-1]}"


def test_a_case_fails_where_every_law_was_asked_and_fell(monkeypatch: pytest.MonkeyPatch) -> None:
    why, asked = why_left_open(lambda _: True, monkeypatch)
    assert asked == [law.name for law in one_law._LAWS]
    assert why is None
