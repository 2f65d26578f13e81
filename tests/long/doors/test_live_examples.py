"""The live examples of `initcheck explain`: who holds and who fails, a theorem and its negations."""

from __future__ import annotations

import pytest

from initcheck.claims.registry import find
from initcheck.doors.explanation import live_examples
from initcheck.gallery import SPECIMENS


@pytest.mark.parametrize(
    ("claim", "holds", "fails"),
    [
        ("owns-its-memory", "he_normal", "aliased_buffer"),
        ("zero-mean", "he_normal", "one_sided_uniform"),
        ("orthogonal-to-rounding", "orthogonal", "unit_vectors_called_orthogonal"),
        ("survives-its-precision", "he_half", "half_precision_from_seven_bits"),
    ],
)
def test_a_check_is_shown_holding_and_failing(claim: str, holds: str, fails: str) -> None:
    text = "\n".join(live_examples(find(claim)))
    assert f"  holds       of initcheck.gallery:{holds}: " in text
    assert f"{claim}  FAILS  for initcheck.gallery:{fails}" in text
    mistake = next(s for s in SPECIMENS if s.name == fails)
    assert mistake.why in text
    assert claim in mistake.fails


def test_a_theorem_is_shown_again_with_what_its_hypotheses_are_for() -> None:
    claim = find("equal-units-get-equal-gradients")
    lines = list(live_examples(claim))
    assert "  shown       on generated networks, now" in lines
    assert sum(line.startswith("  without") for line in lines) == len(claim.negations) > 0
