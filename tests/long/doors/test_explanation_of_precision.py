"""`initcheck explain` of the claim whose examples take longest to judge."""

from __future__ import annotations

from initcheck.claims.registry import find
from initcheck.doors.explanation import live_examples
from initcheck.gallery import SPECIMENS


def test_survival_of_precision_is_shown_holding_and_failing() -> None:
    text = "\n".join(live_examples(find("survives-its-precision")))
    assert "  holds       of initcheck.gallery:he_half: " in text
    assert "survives-its-precision  FAILS  for initcheck.gallery:half_precision_from_seven_bits" in text
    mistake = next(s for s in SPECIMENS if s.name == "half_precision_from_seven_bits")
    assert mistake.why in text
    assert "survives-its-precision" in mistake.fails
