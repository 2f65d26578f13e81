"""Words for tensors, places and numbers in the sentences of the model claims."""

from __future__ import annotations

import os
from collections.abc import Sequence

from initcheck.grouping import grouped
from initcheck.models.builds.record import TensorRecord
from initcheck.models.provenance.steps import Site


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


def unwritten_text(record: TensorRecord, unwritten: int) -> str:
    """Word how many entries were never written, and which is the first where not all are."""
    text = f"{unwritten:,} of {record.count:,} entries never written"
    if unwritten < record.count and record.first_unwritten is not None:
        text += f", the first at {list(record.first_unwritten)}"
    return text


def folded(found: Sequence[tuple[str, str, str]]) -> list[str]:
    """Sentences about tensors, one a role: the first of the role, and how many more are like it.

    >>> folded([("h.0.w", "h.*.w", "8 entries are NaN"), ("h.1.w", "h.*.w", "3 entries are NaN")])
    ['h.0.w: 8 entries are NaN; 1 more of h.*.w likewise']

    Args:
        found: name, path of the role, and what is said of the tensor.
    """
    sentences = []
    for role, members in grouped((role, (name, said)) for name, role, said in found).items():
        name, said = members[0]
        more = f"; {len(members) - 1} more of {role} likewise" if len(members) > 1 else ""
        sentences.append(f"{name}: {said}{more}")
    return sentences
