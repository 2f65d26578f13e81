"""What every test needs before a framework is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

# Keras takes its backend when it is first imported; JAX is the one that starts fast and needs no TensorFlow.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# One BLAS thread: the tests' matrices are small, and other processes run beside them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _numpy_errors_as_they_were() -> Iterator[None]:
    """Specimens that call ``np.seterr`` must not decide how the next test's NumPy behaves."""
    with np.errstate():
        yield


@pytest.fixture(autouse=True)
def _modules_of_this_test_only() -> Iterator[None]:
    """A module that a test writes and imports, such as ``myinit``, must not be the next test's module of that name."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if "pytest-of-" in str(getattr(sys.modules[name], "__file__", None) or ""):
            del sys.modules[name]
