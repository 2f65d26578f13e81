"""What the door makes of one form of a sample, held against the answer that was written for it."""

from __future__ import annotations

import re
import warnings

import numpy as np
from two_seeds import one_again_other
from wild_signatures_seventh import LAYER, PARTS

from initcheck.errors import UsageError
from initcheck.targets.loading import load


def named(obj):
    return getattr(obj, "__name__", type(obj).__name__)


def refused(expected):
    """Whether an answer is words of the sentence that refuses it."""
    return isinstance(expected, str) and expected not in (LAYER, PARTS)


def holds_to_its_answer(obj, expected):
    """Assert that it is refused in these words, or made a layer or parts, or draws the shapes, a seed at a time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if refused(expected):
            assert _as_refused(obj, expected)
            return
        loaded = load(obj).initializers
        _holds(loaded, expected)


def _as_refused(obj, expected):
    """Whether it is refused in these words, or of several arrays the one is taken that a refusal had to name first."""
    try:
        [read] = load(obj).initializers
    except UsageError as refusal:
        return re.search(expected, str(refusal)) is not None
    return "parameter=" in expected and any("not asked:" in note for note in read.notes)


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
