"""`initcheck explain`: the words are the registry's, and the examples are judged when they are shown."""

from __future__ import annotations

import pytest

from initcheck.claims.registry import checks, find
from initcheck.doors.cli import main
from initcheck.doors.explanation import in_words, live_examples
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
    assert "  fails       no initializer of the gallery" in text


def test_the_command_prints_words_and_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "returns-the-shape-asked"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("returns-the-shape-asked  (check)\n")
    assert "FAILS  for initcheck.gallery:" in text
    assert main(["explain", "returns-the-shape-asked", "--no-examples"]) == 0
    assert "FAILS" not in capsys.readouterr().out.replace("false FAILS", "")
