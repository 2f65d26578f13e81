"""The tenth sample of public forms: the door that a user comes through makes of each what its answer says."""

import pytest
from sampled_forms import holds_to_its_answer, named
from wild_signatures_tenth import TENTH


@pytest.mark.parametrize(("obj", "expected"), TENTH, ids=lambda v: named(v) if not isinstance(v, (str, tuple)) else "")
def test_makes_of_it_what_its_answer_says(obj, expected):
    holds_to_its_answer(obj, expected)


def test_the_sample_is_whole():
    assert len(TENTH) >= 40
