"""An initializer that is asked for one side makes squares, and is asked for nothing else."""

import numpy as np
import pytest

import initcheck
from initcheck.adapters.recognition import recognise
from initcheck.adapters.signatures.arguments import Unfit


def ortho(ndim, rng):
    q, r = np.linalg.qr(rng.normal(size=(ndim, ndim)))
    return q * np.sign(np.diag(r))


def test_one_side_is_read_as_a_square():
    initializer = recognise(ortho, "ortho")
    assert initializer.signature == "(side, rng)"
    assert initializer.squares
    assert initializer.ranks == (2,)
    with pytest.raises(Unfit, match="is no square"):
        initializer.sampler.calls((3, 5), [0], "float32")


def test_no_shape_but_squares_is_asked_for():
    report = initcheck.check(
        ortho, claims=["accepts-every-shape", "returns-the-shape-asked"], profile="quick", contract="dtypes=float64"
    )
    assert report.ok, report.to_json()
