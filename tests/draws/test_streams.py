"""The names of streams enter every seed: a stream that is renamed changes verdicts."""

from __future__ import annotations

from initcheck.draws.streams import FIRST_CALL, PICTURE, SCREEN, Stream
from initcheck.seeds import entropy


def test_the_streams_of_a_run_have_the_names_that_seeds_hang_on() -> None:
    assert [Stream.screen(n) for n in range(3)] == ["screen", "screen 1", "screen 2"]
    assert [Stream.confirmation(n) for n in range(2)] == ["confirm 0", "confirm 1"]
    assert Stream.confirmation(1).of("scores") == "scores confirm 1"
    assert (SCREEN, FIRST_CALL, PICTURE) == ("screen", "call", "picture")


def test_a_stream_seeds_as_its_bare_name_does() -> None:
    assert entropy(Stream.screen(2).of("entries")) == entropy("entries screen 2")
    assert {SCREEN: 1}["screen"] == 1
