"""A fixed standard deviation is a promise of that number, and the report says at which widths it serves."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from initcheck import check
from initcheck.rendering.terminal import summary_lines
from initcheck.report.verdict import Verdict

CLAIM = "output-variance-near-one"
NOTE = "std 0.02 keeps the output variance in [0.8, 1.25] at fan_in 2000 to 3125 only (1 at 2500)"


def normal(shape: tuple[int, ...], rng: np.random.Generator, std: float = 0.02) -> npt.NDArray[Any]:
    return rng.normal(0.0, std, shape).astype(np.float32)


@pytest.mark.long
@pytest.mark.parametrize(
    ("std", "verdict"), [(0.02, Verdict.HOLDS), (0.021, Verdict.HOLDS), (0.03, Verdict.FAILS), (0.01, Verdict.FAILS)]
)
def test_the_number_is_checked_at_every_width(std: float, verdict: Verdict) -> None:
    result = check(
        normal, args={"std": std}, contract={"std": 0.02, "layout": "out_in"}, claims=[CLAIM], profile="quick"
    )[CLAIM]
    assert result.verdict is verdict
    if verdict is Verdict.FAILS:
        assert result.evidence.value == pytest.approx((std / 0.02) ** 2, rel=0.1)


def test_what_divides_by_the_width_breaks_it() -> None:
    contract = {"std": 0.02, "layout": "out_in", "activation": "relu"}
    result = check("initcheck.gallery:he_normal", contract=contract, claims=[CLAIM], profile="quick")[CLAIM]
    assert result.verdict is Verdict.FAILS


@pytest.mark.long
def test_the_report_says_at_which_widths_the_output_variance_leaves_the_band() -> None:
    contract = {"std": 0.02, "layout": "out_in"}
    report = check(normal, contract=contract, claims=[CLAIM], profile="quick")
    assert NOTE in report[CLAIM].notes
    assert NOTE in report.to_json()
    # ReLU halves the second moment, so it takes twice that width.
    report = check(normal, contract={**contract, "activation": "relu"}, claims=[CLAIM], profile="quick")
    assert any(note.endswith("at fan_in 4000 to 6250 only (1 at 5000)") for note in report[CLAIM].notes)


@pytest.mark.long
@pytest.mark.parametrize("claim", ["gradient-variance-near-one", "signal-survives-depth", "gradient-survives-depth"])
def test_what_a_fixed_std_does_not_promise_is_not_asked(claim: str) -> None:
    result = check(normal, contract={"std": 0.02, "layout": "out_in"}, claims=[claim], profile="quick")[claim]
    assert result.verdict is Verdict.NOT_APPLICABLE
    assert result.reason is not None
    assert result.reason.startswith("a fixed std promises")


@pytest.mark.long
def test_a_run_that_holds_a_library_to_its_fixed_std_says_so() -> None:
    report = check(torch.nn.init.normal_, args={"std": 0.01}, claims=[CLAIM], profile="quick")
    assert report[CLAIM].verdict is Verdict.HOLDS
    said = "known: std=0.01 at every width; held to that number, not to unit output variance"
    assert any(line.endswith(said) for line in summary_lines(report))
    # What the user declared need not be told.
    report = check(normal, contract={"std": 0.02, "layout": "out_in"}, claims=[CLAIM], profile="quick")
    assert not any("unit output variance" in line for line in summary_lines(report))
