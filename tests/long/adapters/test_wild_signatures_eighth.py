"""The eighth sample of public forms: the door that a user comes through makes of each what its answer says."""

import pytest
from sampled_forms import holds_to_its_answer, named
from wild_signatures_eighth import CALLED, EIGHTH

pytest.importorskip("keras")
pytest.importorskip("flax")
import wild_signatures_eighth_frameworks as frameworks  # adds its forms to the sample


@pytest.mark.parametrize(("obj", "expected"), EIGHTH, ids=lambda v: named(v) if not isinstance(v, (str, tuple)) else "")
def test_makes_of_it_what_its_answer_says(obj, expected):
    holds_to_its_answer(obj, expected)
    assert CALLED == []


def test_the_sample_is_whole():
    assert len(EIGHTH) >= 80
    assert any(obj is frameworks.SmallGlorot for obj, _ in EIGHTH)
