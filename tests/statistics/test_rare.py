"""Rare events, and what their absence excludes."""

from __future__ import annotations

import math

import pytest

from initcheck.statistics import excluded_rate, rare_log_e


def test_three_of_three_are_overwhelming_and_one_in_a_thousand_is_not() -> None:
    assert rare_log_e(3, 3) / math.log(10) == pytest.approx(8.85, abs=0.05)
    assert rare_log_e(1, 1000) < math.log(20)
    assert rare_log_e(0, 100_000) < 0


def test_excluded_rate_solves_its_equation() -> None:
    for n in (1, 10, 300_000, 10**9):
        rate = excluded_rate(n, 1e-3)
        assert n * math.log1p(-rate) == pytest.approx(math.log(1e-3))
    assert excluded_rate(300_000) == pytest.approx(math.log(1e3) / 300_000, rel=1e-4)
    assert excluded_rate(0) == 1.0


@pytest.mark.parametrize(("n", "beta"), [(10, 0.0), (10, 1.0), (-1, 0.5)])
def test_wrong_arguments_are_refused(n: int, beta: float) -> None:
    with pytest.raises(ValueError, match="number of trials"):
        excluded_rate(n, beta)
