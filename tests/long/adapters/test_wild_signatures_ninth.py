"""The ninth sample of public forms: the door that a user comes through makes of each what its answer says."""

import pytest
from sampled_forms import holds_to_its_answer, named
from wild_signatures_ninth import NINTH

pytest.importorskip("keras")
pytest.importorskip("flax")
import wild_signatures_ninth_frameworks as frameworks  # adds its forms to the sample


@pytest.mark.parametrize(("obj", "expected"), NINTH, ids=lambda v: named(v) if not isinstance(v, (str, tuple)) else "")
def test_makes_of_it_what_its_answer_says(obj, expected):
    holds_to_its_answer(obj, expected)


def test_the_sample_is_whole():
    assert len(NINTH) >= 120
    assert any(obj is frameworks.NnxEinsum for obj, _ in NINTH)
