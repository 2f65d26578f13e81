"""Averages of e-processes in log space."""

from __future__ import annotations

import numpy as np
import pytest

from initcheck.statistics import average_log_e


def test_average_is_that_of_the_e_values() -> None:
    log_es = np.log([[1.0, 4.0], [3.0, 0.5]])
    assert np.exp(average_log_e(log_es)) == pytest.approx([2.0, 2.25])
    assert np.exp(average_log_e(log_es, [0.25, 0.75])) == pytest.approx([2.5, 1.375])


def test_neither_huge_nor_ruined_processes_overflow() -> None:
    assert average_log_e([1e7, -1e7]) == pytest.approx(1e7 - np.log(2))
    assert average_log_e([-np.inf, 0.0]) == pytest.approx(-np.log(2))
    assert average_log_e([-np.inf, -np.inf]) == -np.inf
    assert average_log_e([np.inf, 1000.0]) == np.inf


def test_weights_beyond_one_would_not_be_an_e_process() -> None:
    with pytest.raises(ValueError, match="sum at most 1"):
        average_log_e([0.0, 0.0], [0.7, 0.7])
    with pytest.raises(ValueError, match="for 2 e-processes"):
        average_log_e([0.0, 0.0], [1.0])


def test_a_process_of_weight_zero_counts_for_nothing() -> None:
    assert average_log_e([5.0, 2.0], [0.0, 1.0]) == pytest.approx(2.0)


def test_short_floats_are_averaged_in_double_precision() -> None:
    log_es = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    assert np.array_equal(average_log_e(log_es), average_log_e(log_es.astype(np.float64)))
