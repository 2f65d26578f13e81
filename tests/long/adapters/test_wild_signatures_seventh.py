"""The seventh sample of public forms: the door that a user comes through makes of each what its answer says."""

import contextlib

import pytest
from sampled_forms import holds_to_its_answer, named
from wild_answers import is_refusal
from wild_signatures_seventh import CALLED, SEVENTH

from initcheck.errors import UsageError
from initcheck.targets.loading import load

pytest.importorskip("keras")
pytest.importorskip("equinox")
import wild_signatures_seventh_frameworks as frameworks  # adds its forms to the sample


@pytest.mark.parametrize(
    ("obj", "expected"), SEVENTH, ids=lambda v: named(v) if not isinstance(v, (str, tuple)) else ""
)
def test_makes_of_it_what_its_answer_says(obj, expected):
    holds_to_its_answer(obj, expected)


def test_what_is_no_initializer_is_not_called():
    for obj, expected in SEVENTH:
        if is_refusal(expected):
            with contextlib.suppress(UsageError):
                load(obj)
    assert CALLED == []


def test_the_sample_is_whole():
    assert len(SEVENTH) >= 120
    assert any(obj is frameworks.LinenLayer for obj, _ in SEVENTH)
