"""NumPy's fresh memory filled as torch's is, for weights that a factory makes with ``np.empty``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import numpy as np

from initcheck.models.provenance.fill import Fill


@contextlib.contextmanager
def numpy_memory_filled(fill: Fill | None) -> Iterator[None]:
    """Let ``np.empty`` and ``np.empty_like`` hand out filled memory; names imported earlier are not reached.

    >>> with numpy_memory_filled(Fill(0.5, 1)):
    ...     float(np.empty(3)[1])
    0.5
    """
    if fill is None:
        yield
        return
    empty, like = _filled(np.empty, fill), _filled(np.empty_like, fill)
    with patch.object(np, "empty", empty), patch.object(np, "empty_like", like):
        yield


def _filled(allocate: Callable[..., Any], fill: Fill) -> Any:
    def filled(*args: Any, **kwargs: Any) -> Any:
        made = allocate(*args, **kwargs)
        if made.dtype.kind in "fc":
            made.fill(fill.real)
        elif made.dtype.kind in "iu":
            made.fill(fill.whole)
        return made

    return filled
