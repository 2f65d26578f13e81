"""What the door makes of one form of a sample, held against the answer that was written for it."""

from __future__ import annotations

import warnings

import numpy as np
from two_seeds import one_again_other
from wild_answers import LAYER, PARTS, as_refused, is_refusal

from initcheck.targets.loading import load


def named(obj):
    return getattr(obj, "__name__", type(obj).__name__)


def holds_to_its_answer(obj, expected):
    """Assert that it is refused in these words, or made a layer or parts, or draws the shapes, a seed at a time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if is_refusal(expected):
            assert as_refused(lambda: _alone(obj), expected)
            return
        loaded = load(obj).initializers
        _holds(loaded, expected)


def _alone(obj):
    [read] = load(obj).initializers
    return read


def _holds(loaded, expected):
    assert len(loaded) == (2 if expected == PARTS else 1)
    if expected in (LAYER, PARTS):
        assert expected == PARTS or type(loaded[0].sampler).__name__ == "LayerSampler" or "layer" in loaded[0].signature
        return
    for initializer in loaded:
        for shape in expected:
            one, again, _ = one_again_other(initializer, shape)
            assert one.shape == shape
            assert np.array_equal(one, again)
