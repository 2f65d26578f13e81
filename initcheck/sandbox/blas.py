"""The threads of NumPy's BLAS: one while initializers are judged, as many as before afterwards."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

# How OpenBLAS names the pair in NumPy's own wheels, and elsewhere with 64-bit and with 32-bit whole numbers.
_NAMES = ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_", "openblas_{}_num_threads")

Threads = tuple[Callable[[], int], Callable[[int], None]]


@contextmanager
def one_thread() -> Iterator[None]:
    """Let NumPy multiply matrices on one thread inside.

    The products here are so small that threads wait longer for each other than they work: on a busy machine a hundred
    times as long. The last bits of a result may depend on the number of threads, so one thread also gives an
    initializer by QR decomposition the same weights in every process. Another BLAS than OpenBLAS is left as it is.

    >>> with one_thread():
    ...     (np.ones((300, 300)) @ np.ones((300, 300)))[0, 0].item()
    300.0
    """
    found = _openblas()
    if found is None:
        yield
        return
    get, set_to = found
    before = get()
    if before > 1:
        set_to(1)
    try:
        yield
    finally:
        if before > 1:
            set_to(before)


@functools.cache
def _openblas() -> Threads | None:
    """How to ask the OpenBLAS that came with NumPy for its threads and how to set them; None where there is none."""
    package = Path(np.__file__).parent
    folders = (package.parent / "numpy.libs", package / ".dylibs", package / ".libs")
    for path in (p for folder in folders if folder.is_dir() for p in sorted(folder.glob("*openblas*"))):
        try:
            library = ctypes.CDLL(str(path))
        except OSError:  # not one of this machine
            continue
        for name in _NAMES:
            if hasattr(library, name.format("get")) and hasattr(library, name.format("set")):
                return getattr(library, name.format("get")), getattr(library, name.format("set"))
    return None
