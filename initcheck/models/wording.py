"""Words for tensors, places and numbers in the sentences of the model claims."""

from __future__ import annotations

import os
from collections.abc import Sequence

from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.trace import Site

__all__ = ["listed", "place", "unwritten_text"]


def place(site: Site | None) -> str:
    """Word a call site: the path from here where the file lies below, else its last two parts.

    >>> place(("/site-packages/pkg/model.py", 41)), place(None)
    ('pkg/model.py:41', 'an unknown place')
    """
    if site is None:
        return "an unknown place"
    file, line = site
    below = os.path.relpath(file) if os.path.isabs(file) else file
    shown = below if not below.startswith("..") else os.sep.join(file.split(os.sep)[-2:])
    return f"{shown}:{line}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """Word a list of names: a few, and how many more.

    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    shown = ", ".join(names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")


def unwritten_text(record: TensorRecord, unwritten: int) -> str:
    """Word how many entries were never written, and which is the first where not all are."""
    text = f"{record.name}: {unwritten:,} of {record.count:,} entries never written"
    if unwritten < record.count and record.first_unwritten is not None:
        text += f", the first at {list(record.first_unwritten)}"
    return text
