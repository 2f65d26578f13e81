"""The sixth sample of public forms: each is read as its answer says."""

import pytest
from wild_answers import is_read_as
from wild_signatures_sixth import SIXTH

from initcheck.adapters.recognition import recognise
from initcheck.layers.recognition import layer_initializer

pytest.importorskip("keras")
pytest.importorskip("equinox")
import wild_signatures_sixth_frameworks as frameworks  # adds its forms to the sample


def named(obj):
    return getattr(obj, "__name__", "partial")


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize(
    ("obj", "expected"),
    # It compiles a kernel for every call: six CPU seconds on a slow machine.
    [pytest.param(o, e, marks=pytest.mark.long) if o is frameworks.PTConvKernelInit else (o, e) for o, e in SIXTH],
    ids=lambda v: named(v) if callable(v) else "",
)
def test_reads_it_as_its_answer_says(obj, expected):
    name = named(obj)
    is_read_as(expected, lambda: layer_initializer(obj, name, {}) or recognise(obj, name))


def test_the_sample_is_whole():
    assert len(SIXTH) >= 120
    assert frameworks.LinearLayer in [obj for obj, _ in SIXTH]
