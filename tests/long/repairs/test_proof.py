"""What a copy with a change is held to."""

import numpy as np

from initcheck.repairs.proof import proposal_for
from initcheck.targets.loading import load


def orthonormal_of_the_tall(shape, rng):
    q, r = np.linalg.qr(rng.normal(size=shape))
    return q * np.sign(np.diag(r))


def test_what_never_had_its_shape_is_mended_under_the_law_that_the_copy_shows():
    [initializer] = load(orthonormal_of_the_tall).initializers
    proposal = proposal_for(initializer, claims=["returns-the-shape-asked", "output-variance-near-one"])
    assert [claim for claim, _ in proposal.failing] == ["returns-the-shape-asked"]
    assert proposal.repair is not None
    assert proposal.repair.code.splitlines()[-1].strip() == "return (q if shape[0] >= shape[1] else q.T)"
