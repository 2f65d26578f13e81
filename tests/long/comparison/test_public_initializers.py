"""A sample of the matrix of public initializers: every pair of one law of two libraries, and some that are close.

The whole matrix, 5,151 pairs of 102 functions, is what ``public_initializers.py`` prints; with ``INITCHECK_MATRIX=1``
it is run here.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("jax")
pytest.importorskip("keras")
pytest.importorskip("flax")
sys.path.insert(0, str(Path(__file__).parent))

from public_initializers import PUBLIC, Matrix

TORCH, JAX, KERAS = "torch.nn.init:", "jax.nn.initializers:", "keras.initializers:"
SAMPLE = [
    (f"{TORCH}xavier_uniform_", f"{KERAS}GlorotUniform"),
    (f"{TORCH}orthogonal_", f"{JAX}orthogonal()"),
    (f"{JAX}he_normal()", f"{KERAS}HeNormal"),
    (f"{TORCH}trunc_normal_(std=0.05,a=-0.1,b=0.1)", f"{KERAS}TruncatedNormal"),
    (f"{TORCH}kaiming_normal_", f"{JAX}he_normal()"),
    (f"{TORCH}kaiming_normal_", f"{KERAS}HeNormal"),
    (f"{TORCH}xavier_normal_", f"{KERAS}GlorotNormal"),
    (f"{TORCH}kaiming_uniform_", f"{KERAS}LecunUniform"),
    (f"{TORCH}orthogonal_", f"{TORCH}xavier_normal_"),
    (f"{TORCH}eye_", f"{KERAS}Identity"),
    (f"{TORCH}constant_(val=0.3)", f"{KERAS}Constant(value=0.3)"),
    (f"{TORCH}ones_", f"{TORCH}zeros_"),
]


def test_pairs_of_one_law_are_the_same_and_all_others_differ() -> None:
    matrix = Matrix("quick")
    for a, b in SAMPLE:
        row = matrix.compare(a, b)
        assert row["answer"] == row["wanted"], row
    assert {row["wanted"] for row in matrix.rows} == {"SAME", "DIFFERENT"}


@pytest.mark.skipif("INITCHECK_MATRIX" not in os.environ, reason="ten minutes of CPU: set INITCHECK_MATRIX=1")
def test_the_whole_matrix() -> None:
    matrix, names = Matrix(), list(PUBLIC)
    for number, b in enumerate(names):
        for a in names[:number]:
            matrix.compare(a, b)
    print(matrix.summary)
    compared = [row for row in matrix.rows if row["answer"] != "nothing in common"]
    assert not matrix.wrong
    assert sum(row["answer"] == "UNDECIDED" for row in compared) <= 0.01 * len(compared)
