"""Orthogonal means orthogonal: rows or columns are orthonormal to rounding, and point everywhere alike."""

from __future__ import annotations

from hypothesis import given

from initcheck.claims import Case, Trial, claim, layers
from initcheck.questions import is_orthogonal, points_everywhere_alike

NEEDS = ("accepts-every-shape", "returns-the-shape-asked", "finite")
NOT_PROMISED = "distribution=orthogonal is not declared"


@claim(
    "orthogonal-to-rounding",
    says="W W^T, or W^T W of a tall W, is the identity times gain^2 within rounding of the dtype.",
    source="Saxe, McClelland & Ganguli 2014 (arXiv 1312.6120), section 3; Higham 2002, Theorem 19.4, for the rounding",
    topic="orthogonality",
    needs=(*NEEDS, "output-variance-near-one"),
    exact_on_constants=True,
    unasked=lambda contract: None if contract.promised("distribution") == "orthogonal" else NOT_PROMISED,
    decided_by="exact: four calls at every layer of the plan; allowed 2 (m + 4) sqrt(n) u + 4 u for sides m >= n and"
    " roundoff u. Not seen: what four calls do not show",
    pictures=("singular_values",),
    finds="one pair of rows out of orthogonal by more than that: 5e-4 at 256 x 256 in float32, 1e-5 at 16 x 16",
)
@given(layer=layers())
def orthogonal_to_rounding(trial: Trial, layer: Case) -> None:
    """max |W W^T / gain^2 - I| is at most 2 (m + 4) sqrt(n) u + 4 u, m >= n the sides of W.

    Gain is the contract's, or the ideal one of linear, relu and leaky_relu; where it is customary (tanh) the measured
    one is taken, and the scale claims judge it. A convolution is its matrix (units, inputs).
    """
    is_orthogonal(trial, layer)


@claim(
    "haar-distributed",
    says="Q = W / gain is uniform on the orthogonal group: no direction is preferred.",
    source="Mezzadri 2007 (arXiv math-ph/0609050), section 5",
    topic="orthogonality",
    needs=(*NEEDS, "calls-are-independent", "orthogonal-to-rounding"),
    unasked=lambda contract: None if contract.promised("distribution") == "orthogonal" else NOT_PROMISED,
    decided_by="betting e-process over calls on the signs of the first and last diagonal entry, tr Q / n and"
    " sum Q_ij^4, each bounded and of mean 0 under Haar measure; FAILS beyond 0.02, HOLDS within 0.3. Assumes that"
    " calls are independent. Not seen: the determinant, other directions, and what keeps these four means",
    finds="QR without the sign fix, whose Q_11 is always negative, in 64 calls; signed permutations in 64; a Q_11 that"
    " is negative in 62 calls of 100 in 1,093. One that is in 57 of 100 HOLDS",
)
@given(layer=layers(of="two matrices"))
def haar_distributed(trial: Trial, layer: Case) -> None:
    """Under Haar measure Q has the law of D Q and of Q D for every diagonal D of signs: E sign Q_ii = 0, E tr Q = 0.

    And E Q_ij^4 = 3/(m(m+2)) for m x m, which a permutation of signs breaks. QR as LAPACK gives it has Q_11 < 0
    always and E tr Q = -0.57 sqrt(n). Asked of the smallest and the largest layer of 2 to 64 units.
    """
    trial.asks(not trial.subject.constant, "every call gives the same weights")
    points_everywhere_alike(trial, layer)
