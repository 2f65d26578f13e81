"""Whether what is made of a form of a sample is what its answer says, where that is a refusal."""

from __future__ import annotations

import re
from collections.abc import Callable

from initcheck.contract.initializer import Initializer
from initcheck.errors import UsageError


def as_refused(read: Callable[[], Initializer], answer: str) -> bool:
    """Whether it is refused in these words, or of several arrays the one is taken that a refusal had to name first."""
    try:
        initializer = read()
    except UsageError as refusal:
        return re.search(answer, str(refusal)) is not None
    return "parameter=" in answer and any("not asked:" in note for note in initializer.notes)
