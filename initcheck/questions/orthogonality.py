"""Whether rows or columns are orthonormal to rounding, and whether they point everywhere alike."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.claims.trial import Trial
from initcheck.contract.case import Case
from initcheck.contract.contract import UNIT_ROUNDOFF, Contract
from initcheck.contract.layer import Layer
from initcheck.contract.second_moments import nonlinearity
from initcheck.draws.streams import SCREEN
from initcheck.questions.bounded_scores import Scores, scores_average_to_zero

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_CALLS = 4
# Unit roundoff of the coarsest of the 8-bit formats.
_COARSEST = 2.0**-3
# Activations whose ideal gain nobody rounds: of tanh 5/3 and 1.5925 are both in use, and the scale claims judge them.
_EXACT_GAIN = ("linear", "relu", "leaky_relu")
# |E s| that counts as zero, and that a HOLDS excludes: a sign needs 4 calls in 5 to show a mean of 0.3.
_TOLERATED, _EXCLUDED = 0.02, 0.3


def rounding_of(layer: Case, dtype: str) -> float:
    """How far W W^T / gain^2 may lie from the identity, in any entry, by rounding alone.

    Householder QR of an m x n matrix gives a Q within sqrt(n) gamma_m of an orthonormal one, gamma_m = (m + 4) u
    (Higham 2002, Theorem 19.4, which leaves a small constant open: a reflector is a sum of m squares and four
    roundings more), so Q^T Q is off by twice that. Measured errors are a hundredth of it at 256 x 256; of 100,000
    calls the worst has 10 u of 16 at 2 x 1, 12 of 24 at 3 x 2. Nobody factorises below float32; there, and after
    multiplying by a gain, each stored weight is off by u of its own dtype once or twice: by Cauchy-Schwarz an entry
    of Q^T Q is then off by at most 4 u.

    >>> f"{rounding_of(Layer((256, 256)), 'float32'):.1e}"
    '5.0e-04'
    """
    stored = UNIT_ROUNDOFF.get(dtype, _COARSEST)
    factorised = min(stored, UNIT_ROUNDOFF["float32"])
    long, short = max(layer.units, layer.inputs), min(layer.units, layer.inputs)
    return 2 * (long + 4) * math.sqrt(short) * factorised + 4 * stored * (1 + stored)


def promised_square(contract: Contract) -> float | None:
    """Gain^2 where the contract promises it exactly; None where it names an activation whose gain is customary.

    >>> round(promised_square(Contract(activation="relu")), 12), promised_square(Contract(activation="tanh"))
    (2.0, None)
    """
    if contract.gain is not None:
        return float(contract.gain) ** 2
    return nonlinearity(contract).gain ** 2 if contract.base("activation") in (None, *_EXACT_GAIN) else None


def keeps_the_norm(trial: Trial, layer: Case) -> bool:
    """Whether four kernels have one position drawn, orthonormal columns there, and more units than channels.

    Such a delta-orthogonal kernel (Xiao et al. 2018, arXiv 1806.05393, definition 1 and algorithm 1: c_in at most
    c_out) hands on the norm of what it is given, times the gain, which more units share: each has c_in/c_out of the
    variance. With more channels than units its rows are orthonormal, and each unit has all of it.
    """
    contract = trial.subject.contract_of(layer)
    if not isinstance(layer, Layer) or layer.is_dense or layer.groups > 1 or layer.units <= layer.channels:
        return False
    if contract.fan == "fan_max" and layer.receptive == 1:
        return False  # a matrix, whose variance that fan is of
    square, rounding = promised_square(contract) or nonlinearity(contract).gain ** 2, rounding_of(layer, trial.dtype)
    # The trace of W^T W is its energy: the sums of one call, which others read too, say most often that it is none.
    energy = float(trial.draws.records(layer, trial.dtype, SCREEN, 1).energy[0])
    if abs(energy / square - layer.channels) > 2 * layer.channels * rounding:
        return False
    stack = _drawn_positions(trial.draws.sample(layer, trial.dtype, SCREEN, _CALLS).astype(np.float64), layer)
    if stack.shape[2] != layer.channels:
        return False
    off = stack.swapaxes(1, 2) @ stack / square - np.eye(layer.channels)
    return bool(np.abs(off).max() <= rounding)


def _drawn_positions(stack: Floats, layer: Layer) -> Floats:
    """Matrices (calls, units, inputs) without the positions that are zero in all of them, of every channel.

    A channel that is never drawn stays where others are: its norm is lost.
    """
    sides = [n for n, axis in zip(layer.shape, layer.axes, strict=True) if axis != "o"]
    drawn = (stack != 0).any(axis=(0, 1)).reshape(sides)
    somewhere = drawn.any(axis=layer.axes.replace("o", "").index("i"), keepdims=True)
    kept = np.broadcast_to(somewhere, sides).ravel()
    return stack[:, :, kept] if kept.any() else stack


def is_orthogonal(trial: Trial, layer: Case) -> None:
    """Ask whether W W^T (of a tall matrix W^T W) is gain^2 times the identity, in each of four calls.

    Positions of a kernel that are zero in all of them take no part: delta-orthogonal kernels are tall where they have
    more units than channels.

    Raises:
        CaseFailed: an entry is further off than rounding explains.
    """
    allowed = rounding_of(layer, trial.dtype)
    promised = promised_square(trial.subject.contract_of(layer))
    stack = trial.draws.sample(layer, trial.dtype, SCREEN, _CALLS).astype(np.float64)
    stack = _drawn_positions(stack, layer) if isinstance(layer, Layer) and not layer.is_dense else stack
    is_tall = layer.units > stack.shape[2]
    tall = stack.swapaxes(1, 2) if is_tall else stack
    gram = tall @ tall.swapaxes(1, 2)
    square = promised if promised is not None else float(np.trace(gram, axis1=1, axis2=2).mean()) / gram.shape[-1]
    off = np.abs(gram / square - np.eye(gram.shape[-1])) if square > 0 else np.full(gram.shape, np.inf)
    _, row, column = np.unravel_index(int(np.nan_to_num(off, nan=np.inf).argmax()), off.shape)
    largest, which = float(off.max()), "W^T W" if is_tall else "W W^T"
    shown: dict[str, object] = {
        "measured": f"{which} / {square:.4g} is off the identity by {largest:.2g}, at ({row}, {column})",
        "allowed": f"at most {allowed:.2g}, the rounding of {trial.dtype}",
        "value": largest,
        "band": (0.0, allowed),
        "calls": _CALLS,
    }
    trial.holds(layer, **shown) if largest <= allowed else trial.fail(layer, **shown)


def points_everywhere_alike(trial: Trial, layer: Case) -> None:
    """Ask whether Q = W/gain looks like a uniform draw from the orthogonal group, or a corner of one.

    Four scores with mean 0 under Haar measure, whatever the shape: the signs of Q_11 and of the last diagonal entry,
    tr Q over its length, and the spread of the entries: E Q_ij^4 = 3/(m(m+2)), m the longer side.

    Raises:
        CaseFailed: a mean is off zero.
    """
    m, n = max(layer.units, layer.inputs), min(layer.units, layer.inputs)

    def scores(stack: Array) -> Floats:
        w = stack.astype(np.float64)
        # Q has n orthonormal vectors, whatever the gain.
        q = w * np.sqrt(n / np.square(w).sum(axis=(1, 2), keepdims=True))
        diagonal = np.diagonal(q, axis1=1, axis2=2)
        # sum q^4 <= n, as a unit vector's is at most 1; so the ratio less 1 lies in [-1, (m - 1)/3].
        spread = np.power(q, 4).sum(axis=(1, 2)) * (m + 2) / (3 * n) - 1
        return np.stack(
            [np.sign(diagonal[:, 0]), np.sign(diagonal[:, -1]), diagonal.mean(axis=1), spread / max(1.0, (m - 1) / 3)],
            axis=1,
        ).clip(-1.0, 1.0)

    names = (
        "mean sign of Q_11",
        f"mean sign of Q_{n}{n}",
        "mean of tr Q / n",
        "relative excess of sum Q_ij^4, scaled,",
    )
    trial_scores = Scores(
        names=names,
        of=scores,
        tolerated=lambda error: np.full(len(names), _TOLERATED),
        excluded=_EXCLUDED,
        lowest=(-1.0,) * len(names),
    )
    excluded = scores_average_to_zero(trial, layer, trial_scores)
    trial.note(
        f"a mean sign of Q_11, a tr Q / n or a spread of the entries beyond {excluded:g} is excluded;"
        " the determinant is not looked at",
        topic="excluded",
    )
