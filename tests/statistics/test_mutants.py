"""The faults that are planted in the rules have a place there: a rule that is written anew takes its fault along."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests" / "long" / "statistics"))
from mutants_of_rules import MUTANTS, Mutant  # noqa: E402  it lies beside the tests that find them


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.fault[:40])
def test_a_fault_fits_one_place(mutant: Mutant) -> None:
    assert (ROOT / "initcheck" / mutant.module).read_text().count(mutant.text) == 1
