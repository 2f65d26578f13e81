"""PyTorch's truncated normal is cut at numbers, +-2, and not at two standard deviations."""

from __future__ import annotations

import pytest

from initcheck import Verdict, check
from initcheck.contract.contract import Contract

CLAIM = "follows-its-distribution"


@pytest.mark.parametrize(
    ("distribution", "verdict"), [("truncated_normal(2)", Verdict.FAILS), ("normal", Verdict.HOLDS)]
)
def test_torch_cuts_at_numbers_and_not_at_standard_deviations(distribution: str, verdict: Verdict) -> None:
    pytest.importorskip("torch")
    contract = Contract(distribution=distribution, std=0.02)
    report = check("torch.nn.init.trunc_normal_(std=0.02)", contract=contract, claims=[CLAIM], profile="quick")
    assert report[CLAIM].verdict is verdict
