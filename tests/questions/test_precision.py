"""Precision: a sampler that rounds down is found in the dtype that shows it, and honest rounding is not blamed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from initcheck import check
from initcheck.claims.trial import CaseFailed
from initcheck.contract.profile import profile
from initcheck.engine.checker import subject_of
from initcheck.engine.trials.judge import Judge
from initcheck.questions.precision import survives_in
from initcheck.report.verdict import Verdict
from initcheck.statistics import Ledger
from initcheck.targets.loading import load

ml_dtypes = pytest.importorskip("ml_dtypes")

Array = npt.NDArray[Any]
CLAIM = "survives-its-precision"
HE = {"activation": "relu", "fan": "fan_in", "layout": "out_in"}


def judged(target: Any, *dtypes: str, **contract: Any) -> Any:
    promised = {**(contract or HE), "dtypes": ("float32", *dtypes)}
    return check(target, contract=promised, claims=[CLAIM], profile="quick")[CLAIM]


def rounded_once(shape: tuple[int, ...], rng: np.random.Generator, dtype: Any = np.float32) -> Array:
    return np.asarray(rng.standard_normal(shape) * math.sqrt(2 / math.prod(shape[1:])), dtype=dtype)


@pytest.mark.long
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_rounding_to_the_nearest_once_is_never_blamed(dtype: str) -> None:
    result = judged(rounded_once, dtype)
    assert result.verdict is Verdict.HOLDS
    assert f"in {dtype} a mean beyond 0.01 standard deviations is excluded" in result.notes


@pytest.mark.long
def test_a_mean_below_zero_in_one_dtype_is_found_and_that_dtype_named() -> None:
    def cut_off(shape: tuple[int, ...], rng: np.random.Generator, dtype: Any = np.float32) -> Array:
        mantissa, exponent = np.frexp(rounded_once(shape, rng, np.float64))
        kept = 2.0 ** (24 if np.dtype(dtype).itemsize >= 2 else 4)
        return np.asarray(np.ldexp(np.floor(mantissa * kept) / kept, exponent), dtype=dtype)

    result = judged(cut_off, "float16", "float8_e4m3fn")
    assert result.verdict is Verdict.FAILS
    assert result.evidence.dtype == "float8_e4m3fn"
    assert result.evidence.value == pytest.approx(-0.036, abs=0.01)


@pytest.mark.long
def test_a_variance_that_is_lost_in_one_dtype_is_found() -> None:
    def underflowing(shape: tuple[int, ...], rng: np.random.Generator, dtype: Any = np.float32) -> Array:
        small = np.asarray(rounded_once(shape, rng, np.float64) * 2.0**-26, dtype=dtype)
        return np.asarray(small.astype(np.float64) * 2.0**26, dtype=dtype)

    result = judged(underflowing, "bfloat16", "float16")
    assert result.verdict is Verdict.FAILS
    assert result.evidence.dtype == "float16"
    assert result.evidence.measured.startswith("second moment of the output over its ideal 0")


@pytest.mark.long
def test_units_that_tie_on_a_coarse_grid_are_found() -> None:
    def one_bit_a_row(shape: tuple[int, ...], rng: np.random.Generator, dtype: Any = np.float32) -> Array:
        w = rounded_once(shape, rng, np.float32)
        if np.dtype(dtype).itemsize == 2 and shape[0] > 2:
            w[-1] = w[0]
        return w.astype(dtype)

    result = judged(one_bit_a_row, "float16")
    assert result.verdict is Verdict.FAILS
    assert "equals unit 0" in result.evidence.measured


@pytest.mark.long
def test_a_declared_dtype_that_raises_fails() -> None:
    def float32_only(shape: tuple[int, ...], rng: np.random.Generator, dtype: Any = np.float32) -> Array:
        return np.asarray(rng.standard_normal(shape, dtype=dtype) * np.float32(math.sqrt(2 / shape[1])))

    result = judged(float32_only, "float16")
    assert result.verdict is Verdict.FAILS
    assert result.evidence.measured.startswith("raises TypeError")


@pytest.mark.long
def test_it_is_asked_only_where_there_is_a_second_dtype_to_ask_for() -> None:
    alone = check("initcheck.gallery:he_normal", claims=[CLAIM], profile="quick")[CLAIM]
    assert alone.reason == "the contract declares one dtype only, and every other claim asks for it"
    ignored = judged("initcheck.gallery:he_normal", "float16")
    assert (ignored.verdict, ignored.reason) == (Verdict.NOT_APPLICABLE, "needs returns-the-dtype-asked, which fails")


@pytest.mark.long
def test_the_normal_of_jax_in_bfloat16_is_off_centre() -> None:
    pytest.importorskip("jax")
    # Only what is asked in bfloat16, at one shape: JAX compiles for every new one.
    contract = {**HE, "std": 0.05, "layout": "in_out", "dtypes": ("float32", "bfloat16"), "widths": (128, 128)}
    [initializer] = load("jax.nn.initializers.normal(stddev=0.05)", contract=contract).initializers
    subject = subject_of(initializer, profile("quick"), 0)
    with pytest.raises(CaseFailed) as failure:
        survives_in(Judge(subject, Ledger(claims=21).claim()), subject.probes[-1], "bfloat16")
    assert failure.value.evidence.value == pytest.approx(-0.012, abs=0.002)
