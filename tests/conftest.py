"""What every test needs before a framework is imported."""

from __future__ import annotations

import os

# Keras takes its backend when it is first imported; JAX is the one that starts fast and needs no TensorFlow.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# One BLAS thread: the tests' matrices are small, and other processes run beside them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
