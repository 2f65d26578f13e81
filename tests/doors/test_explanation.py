"""`initcheck explain`: the words are the registry's, and the examples are judged when they are shown."""

from __future__ import annotations

import re

import pytest

from initcheck.claims.registry import checks, find
from initcheck.doors.cli import main
from initcheck.doors.explanation import _mistakes, in_words, live_examples, theorems_on
from initcheck.gallery import SPECIMENS


def test_a_myth_is_refuted() -> None:
    assert "  refuted     on generated networks, now" in live_examples(
        find("a-normal-is-not-bounded-by-one-over-sqrt-d")
    )


def test_the_words_are_those_of_the_registration() -> None:
    claim = find("haar-distributed")
    text = "\n".join(in_words(claim))
    for said in (claim.says, claim.decided_by, claim.finds, claim.source, *claim.needs):
        assert said in text
    assert "Under Haar measure Q has the law of D Q" in text
    assert f"over all {len(checks())} claims of an initializer" in text
    assert "only where the contract says so" in text


def test_a_claim_that_the_gallery_knows_no_mistake_of_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("initcheck.doors.explanation.SPECIMENS", tuple(s for s in SPECIMENS if s.correct))
    text = "\n".join(live_examples(find("finite")))
    assert "  holds       of initcheck.gallery:he_normal" in text
    assert "  fails       nothing that was judged: the gallery lists none that fail it" in text


def test_where_none_that_was_judged_holds_nothing_is_said_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    # Few are judged, so that it is not known whether another would keep the claim.
    zeros = tuple(s for s in SPECIMENS if s.name == "zeros")
    monkeypatch.setattr("initcheck.doors.explanation._correct_ones_like", lambda mistake: list(zeros))
    text = "\n".join(live_examples(find("units-differ")))
    assert "  holds       of none of the initializers of the gallery that were judged" in text


def test_the_command_prints_words_and_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "returns-the-shape-asked"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("returns-the-shape-asked  (check)\n")
    assert "FAILS  for initcheck.gallery:" in text
    assert main(["explain", "returns-the-shape-asked", "--no-examples"]) == 0
    assert "FAILS" not in capsys.readouterr().out.replace("false FAILS", "")


def test_the_example_that_fails_is_of_the_family_of_the_claim_or_of_a_wrong_scale() -> None:
    for claim_id in ("output-variance-near-one", "signal-survives-depth", "gradient-variance-near-one"):
        assert _mistakes(find(claim_id))[0].name == "uniform_one_over_sqrt_fan"
    assert _mistakes(find("units-differ"))[0].name == "zeros"


def test_a_claim_leads_to_the_theorems_that_say_why() -> None:
    assert "output-variance-grows-with-d" in [t.id for t in theorems_on(find("output-variance-near-one"))]
    assert theorems_on(find("output-variance-grows-with-d")) == []


def test_the_table_of_the_variance_by_width_is_the_products() -> None:
    text = "\n".join(in_words(find("output-variance-grows-with-d")))
    rows = dict(re.findall(r"^ +(d|std \S+|uniform on \S+) {3,}([\d. ]+)$", text, re.MULTILINE))
    widths = [float(d) for d in rows.pop("d").split()]
    variance = {
        "std 0.05": lambda d: 0.05**2,
        "std 1/sqrt(d)": lambda d: 1 / d,
        "uniform on +-1/sqrt(d)": lambda d: 1 / d / 3,
    }
    assert set(rows) == set(variance)
    for law, row in rows.items():
        assert [float(x) for x in row.split()] == pytest.approx([d * variance[law](d) for d in widths], rel=2e-3)
