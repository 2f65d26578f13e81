"""The seventh sample of public forms: the door that a user comes through makes of each what its answer says."""

import re
import warnings

import numpy as np
import pytest
from wild_signatures_seventh import CALLED, LAYER, PARTS, SEVENTH

from initcheck.errors import UsageError
from initcheck.targets.loading import load

pytest.importorskip("keras")
pytest.importorskip("equinox")
import wild_signatures_seventh_frameworks as frameworks  # adds its forms to the sample


def named(obj):
    return getattr(obj, "__name__", type(obj).__name__)


@pytest.mark.parametrize(
    ("obj", "expected"), SEVENTH, ids=lambda v: named(v) if not isinstance(v, (str, tuple)) else ""
)
def test_makes_of_it_what_its_answer_says(obj, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if isinstance(expected, str) and expected not in (LAYER, PARTS):
            with pytest.raises(UsageError) as refusal:
                load(obj)
            assert re.search(expected, str(refusal.value))
            return
        loaded = load(obj).initializers
    assert len(loaded) == (2 if expected == PARTS else 1)
    if expected in (LAYER, PARTS):
        assert expected == PARTS or type(loaded[0].sampler).__name__ == "LayerSampler" or "layer" in loaded[0].signature
        return
    for initializer in loaded:
        for shape in expected:
            one, again, _ = (
                np.asarray(initializer.sampler.to_numpy(raw))
                for raw in initializer.sampler.calls(shape, [1, 1, 2], "float32")
            )
            assert one.shape == shape
            assert np.array_equal(one, again)


def test_what_is_no_initializer_is_not_called():
    for obj, expected in SEVENTH:
        if isinstance(expected, str) and expected not in (LAYER, PARTS):
            with pytest.raises(UsageError):
                load(obj)
    assert CALLED == []


def test_the_sample_is_whole():
    assert len(SEVENTH) >= 120
    assert any(obj is frameworks.LinenLayer for obj, _ in SEVENTH)
