"""The fifth sample of public forms: each is read as its answer says, and a scan tells weights from other drawings."""

import re

import numpy as np
import pytest
from wild_signatures_fifth import FIFTH, LAYER, NO_INITIALIZERS

from initcheck.adapters.code.evidence import evidence_of
from initcheck.adapters.recognition import recognise
from initcheck.errors import UsageError
from initcheck.layers.recognition import layer_initializer

# Names that say nothing, and one that only changes what it is given.
UNSEEN = {"rand_arr", "create_matrix", "rescale_weights"}


@pytest.mark.parametrize(("obj", "expected"), FIFTH, ids=lambda v: getattr(v, "__name__", ""))
def test_reads_it_as_its_answer_says(obj, expected):
    name = obj.__name__
    if isinstance(expected, str) and expected != LAYER:
        read, refused = None, ""
        try:
            read = layer_initializer(obj, name, {}) or recognise(obj, name)
        except UsageError as refusal:
            refused = str(refusal)
        # Of several arrays it may take the one of the shape asked for, which a refusal had to name first.
        taken = read is not None and "parameter=" in expected and any("not asked:" in note for note in read.notes)
        assert taken or (read is None and re.search(expected, refused))
        return
    initializer = layer_initializer(obj, name, {}) or recognise(obj, name)
    if LAYER in initializer.signature:
        return
    assert expected != LAYER
    for shape in expected:
        one, again, _ = (
            np.asarray(initializer.sampler.to_numpy(r)) for r in initializer.sampler.calls(shape, [1, 1, 2], "float32")
        )
        assert one.shape == shape
        assert np.array_equal(one, again)
        assert np.isfinite(one).all()


@pytest.mark.parametrize("obj", NO_INITIALIZERS, ids=lambda v: v.__name__)
def test_a_scan_leaves_other_drawings_alone(obj):
    assert not evidence_of(obj, obj.__name__, "sample").looks


def test_a_scan_sees_the_initializers():
    assert len(FIFTH) == 66
    seen = {o.__name__ for o, _ in FIFTH if evidence_of(o, o.__name__, "sample").looks}
    assert {o.__name__ for o, _ in FIFTH} - seen <= UNSEEN
