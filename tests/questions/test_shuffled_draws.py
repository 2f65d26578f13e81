"""What tells a draw from its own shuffles: too much structure, and too little."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import initcheck
from initcheck.questions.shuffled_draws import STATISTICS, _tops
from initcheck.report.verdict import Verdict

Array = np.ndarray[Any, np.dtype[np.float32]]
CLAIM = "entries-are-independent"


def normal(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    return rng.standard_normal(shape, dtype=np.float32) / np.float32(np.sqrt(shape[1]))


def rows_of_one_length(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    w = normal(shape, rng)
    return w / np.linalg.norm(w, axis=1, keepdims=True)


def columns_of_one_length(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    w = normal(shape, rng)
    return w / np.linalg.norm(w, axis=0, keepdims=True) * np.float32(np.sqrt(shape[0] / shape[1]))


def symmetric_squares(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    w = normal(shape, rng)
    return np.triu(w) + np.triu(w, 1).T if shape[0] == shape[1] else w


def signs(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    return (rng.choice([-1.0, 1.0], shape) / np.sqrt(shape[1])).astype(np.float32)


def judged(init: Callable[..., Array], profile: str = "quick") -> initcheck.Result:
    return initcheck.check(init, claims=[CLAIM], profile=profile)[CLAIM]


@pytest.mark.parametrize(
    ("init", "seen"),
    [
        (rows_of_one_length, "row energies too equal"),
        (columns_of_one_length, "column energies too equal"),
        (symmetric_squares, "pairs of weights"),
    ],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_structure_is_found_and_named(init: Callable[..., Array], seen: str) -> None:
    result = judged(init)
    assert result.verdict is Verdict.FAILS
    assert result.evidence.measured.startswith(seen + ":")


@pytest.mark.parametrize("init", [normal, signs], ids=lambda x: x.__name__)
def test_independent_entries_hold(init: Callable[..., Array]) -> None:
    assert judged(init).verdict is Verdict.HOLDS


def test_every_statistic_tops_its_shuffles_in_one_call_of_twenty_at_most() -> None:
    """Exactly, whatever the law: here heavy tails, and rows that are sums of few signs, where ties abound."""
    rng, index = np.random.default_rng(11), np.zeros((4, 64), dtype=np.intp)
    index[1], index[3] = np.arange(64) + 1, np.arange(64) + 2
    pairs = index, np.ones(64), np.ones(64)
    calls = 800
    for law in (rng.standard_t(3, (calls, 9, 8)), rng.choice([-1.0, 1.0], (calls, 9, 8))):
        tops = _tops(law, pairs, rng).sum(axis=1)
        assert len(tops) == len(STATISTICS)
        for name, count in zip(STATISTICS, tops, strict=True):
            assert stats.binomtest(int(count), calls, 0.05, alternative="greater").pvalue > 1e-5, name


def test_rows_of_one_length_top_more_often() -> None:
    rng = np.random.default_rng(12)
    calls = np.stack([rows_of_one_length((16, 16), rng) - rows_of_one_length((16, 16), rng) for _ in range(200)])
    index = np.zeros((4, 64), dtype=np.intp)
    index[1], index[3] = 1, 2
    tops = _tops(calls.astype(float), (index, np.ones(64), np.ones(64)), rng)
    share = dict(zip(STATISTICS, tops.mean(axis=1), strict=True))
    assert share["row energies too equal"] > 0.25
    assert share["column energies too equal"] < 0.12
