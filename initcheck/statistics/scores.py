"""Bounded scores whose mean is known to be zero: evidence that it is not, and that it is nearly so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.statistics.mean_bets import average_log_e, betting_log_e

__all__ = ["ScoreEvidence", "scores_log_e"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ScoreEvidence:
    """What the calls say about the means of several scores.

    Attributes:
        against: ln E for 'some mean is beyond what is tolerated', after every call, shape (calls,).
        inside: ln E for 'every mean is nearer to zero than what is excluded', after every call, shape (calls,).
    """

    against: Floats
    inside: Floats


def scores_log_e(
    scores: npt.NDArray[np.float64], tolerated: npt.ArrayLike, excluded: float, lowest: npt.ArrayLike = -1.0
) -> ScoreEvidence:
    """Bet on every score, in both directions.

    Against: the average of 2K betting processes on s - t and -s - t, t what is tolerated; it has expectation at
    most 1 at every stopping time where every |E s| <= t. Inside: the smallest of 2K processes on r - s and r + s, r
    what is excluded: where some |E s| >= r, the process of that score and sign has expectation at most 1, so no
    factor is paid for their number.

    False alarms: P(against >= ln 1/a at any call) <= a, and likewise inside; no other assumption than the bounds.
    Finds: of 8 scores with t = 0.01, one with mean 0.05 reaches 10^8 in about 620 calls where a call averages many
    weights, one with mean 0.5 in 60. Inside r = 0.03 reaches 10^3 in about 320 calls.

    >>> evidence = scores_log_e(np.zeros((400, 8)), 0.01, 0.03)
    >>> bool(evidence.inside[-1] > np.log(1e3)), bool(evidence.against[-1] < 0)
    (True, True)
    >>> bool(scores_log_e(np.full((60, 8), 0.5), 0.01, 0.03).against[-1] > np.log(1e8))
    True

    Args:
        scores: one row a call, shape (calls, scores), each within [lowest, 1].
        tolerated: |E s| that counts as zero, one number or one a score.
        excluded: |E s| that ``inside`` excludes, above every tolerated one.
        lowest: lower bound of the scores, one number or one a score; 0 for a share, which decides much sooner.

    Raises:
        ValueError: nothing is tolerated of a share, or what is excluded is tolerated.

    Source: ``betting_log_e``; Waudby-Smith & Ramdas 2024 (arXiv 2010.09686).
    """
    values = np.asarray(scores, dtype=np.float64).T
    least = np.broadcast_to(np.asarray(lowest, dtype=np.float64), len(values))[:, None]
    allowed = np.broadcast_to(np.asarray(tolerated, dtype=np.float64), len(values))[:, None]
    if np.any(allowed - least <= 0) or np.any(allowed >= excluded) or not excluded < 1.0:
        raise ValueError(f"tolerated={tolerated!r}, excluded={excluded!r}: expected lowest < tolerated < excluded < 1")
    against = [(values - allowed) / (allowed - least), (-values - allowed) / (1.0 + allowed)]
    inside = [(excluded - values) / (1.0 - excluded), (excluded + values) / (1.0 - excluded)]
    return ScoreEvidence(
        against=average_log_e(betting_log_e(np.concatenate(against), 1.0)),
        inside=np.min(betting_log_e(np.concatenate(inside), 1.0), axis=0),
    )
