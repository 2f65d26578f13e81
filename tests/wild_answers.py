"""The answers of the samples of public forms, and whether what is made of a form is what its answer says."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from two_seeds import draws_the_same_again

from initcheck.contract.initializer import Initializer
from initcheck.errors import UsageError

DENSE = ((5, 7), (8, 3))
CONVOLUTION = ((5, 7, 3, 3),)
KERNELS_LAST = ((3, 3, 5, 7),)
SQUARE = ((6, 6),)
LAYER = "a layer"
PARTS = "two parts"
OTHER = ()  # it is read, and draws another shape than is asked for
REFUSED = r"\w"  # whatever the sentence: nothing of it could be judged


def is_refusal(answer: Any) -> bool:
    """Whether an answer is words of the sentence that refuses it."""
    return isinstance(answer, str) and answer not in (LAYER, PARTS)


def as_refused(read: Callable[[], Initializer], answer: str) -> bool:
    """Whether it is refused in these words, or of several arrays the one is taken that a refusal had to name first."""
    try:
        initializer = read()
    except UsageError as refusal:
        return re.search(answer, str(refusal)) is not None
    return "parameter=" in answer and any("not asked:" in note for note in initializer.notes)


def is_read_as(answer: Any, read: Callable[[], Initializer]) -> None:
    """Assert that it is refused in these words, or made a layer, or draws the shapes, a seed at a time."""
    if is_refusal(answer):
        assert as_refused(read, answer)
        return
    initializer = read()
    if LAYER not in initializer.signature:
        assert answer != LAYER
        for shape in answer:
            assert draws_the_same_again(initializer, shape)
