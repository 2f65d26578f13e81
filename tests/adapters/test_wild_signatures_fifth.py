"""The fifth sample of public forms: each is read as its answer says, and a scan tells weights from other drawings."""

import pytest
from wild_answers import is_read_as
from wild_signatures_fifth import FIFTH, NO_INITIALIZERS

from initcheck.adapters.code.evidence import evidence_of
from initcheck.adapters.recognition import recognise
from initcheck.layers.recognition import layer_initializer

# Names that say nothing, and one that only changes what it is given.
UNSEEN = {"rand_arr", "create_matrix", "rescale_weights"}


@pytest.mark.parametrize(("obj", "expected"), FIFTH, ids=lambda v: getattr(v, "__name__", ""))
def test_reads_it_as_its_answer_says(obj, expected):
    name = obj.__name__
    is_read_as(expected, lambda: layer_initializer(obj, name, {}) or recognise(obj, name))


@pytest.mark.parametrize("obj", NO_INITIALIZERS, ids=lambda v: v.__name__)
def test_a_scan_leaves_other_drawings_alone(obj):
    assert not evidence_of(obj, obj.__name__, "sample").looks


def test_a_scan_sees_the_initializers():
    assert len(FIFTH) == 66
    seen = {o.__name__ for o, _ in FIFTH if evidence_of(o, o.__name__, "sample").looks}
    assert {o.__name__ for o, _ in FIFTH} - seen <= UNSEEN
