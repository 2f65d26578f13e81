"""Calibration of what few models decide: at most the stated error at the least favourable point."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from initcheck.models.factory.few_models import FewModelsPlan, confirm, screen
from initcheck.statistics import Decision

LEVELS = (0.2, 0.05, 0.01)
RUNS = 4_000
LOW, HIGH = 0.25, 4.0


def _narrow_chains(rng: np.random.Generator, models: int, width: int, layers: int = 12) -> np.ndarray:
    """Growths of chains of random matrices: in a narrow net a model lies far from its median, and askew."""
    x = rng.standard_normal((models, width))
    before = (x**2).sum(1)
    for _ in range(layers):
        x = np.einsum("bij,bj->bi", rng.standard_normal((models, width, width)) / math.sqrt(width), x)
    return (x**2).sum(1) / before


@pytest.fixture(scope="module", params=[4, 32])
def growths(request: pytest.FixtureRequest) -> np.ndarray:
    """A population of growths whose median is 1."""
    found = _narrow_chains(np.random.default_rng(7), 20_000, request.param)
    return found / np.median(found)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("edge", [HIGH, LOW])
def test_a_median_on_the_edge_is_rarely_called_a_failure(level: float, edge: float, growths: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    plan = FewModelsPlan(level, level)
    longest = max(*plan.fails_by_sign, *plan.fails_by_spread)
    draws = edge * rng.choice(growths, (RUNS, longest))
    events = sum(confirm(list(values), LOW, HIGH, plan) is Decision.FAILS for values in draws)
    assert binom.sf(events - 1, RUNS, level) > 1e-4


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("edge", [HIGH, LOW])
def test_a_median_on_the_edge_is_rarely_said_to_hold(level: float, edge: float, growths: np.ndarray) -> None:
    rng = np.random.default_rng(2)
    plan = FewModelsPlan(level, level)
    looks = (*plan.holds_by_spread, *plan.holds_by_sign)
    draws = edge * rng.choice(growths, (RUNS, max(looks)))
    events = sum(any(screen(list(v[:n]), LOW, HIGH, plan) is Decision.HOLDS for n in looks) for v in draws)
    assert binom.sf(events - 1, RUNS, level) > 1e-4
