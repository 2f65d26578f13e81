"""Bounded scores whose mean is known to be zero: evidence that it is not, and that it is nearly so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.statistics.mean_bets import average_log_e, betting_log_e

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
    scores: npt.NDArray[np.float64], tolerated: npt.ArrayLike, excluded: npt.ArrayLike, lowest: npt.ArrayLike = -1.0
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
        excluded: |E s| that ``inside`` excludes, above every tolerated one; one number or one a score.
        lowest: lower bound of the scores, one number or one a score; 0 for a share, which decides much sooner.

    Raises:
        ValueError: nothing is tolerated of a share, or what is excluded is tolerated.

    Source: ``betting_log_e``; Waudby-Smith & Ramdas 2024 (arXiv 2010.09686).
    """
    values = np.asarray(scores, dtype=np.float64).T
    least = np.broadcast_to(np.asarray(lowest, dtype=np.float64), len(values))[:, None]
    allowed = np.broadcast_to(np.asarray(tolerated, dtype=np.float64), len(values))[:, None]
    edge = np.broadcast_to(np.asarray(excluded, dtype=np.float64), len(values))[:, None]
    if np.any(allowed - least <= 0) or np.any(allowed >= edge) or not np.all(edge < 1.0):
        raise ValueError(f"tolerated={tolerated!r}, excluded={excluded!r}: expected lowest < tolerated < excluded < 1")
    against = [(values - allowed) / (allowed - least), (-values - allowed) / (1.0 + allowed)]
    inside = [(edge - values) / (1.0 - edge), (edge + values) / (1.0 - edge)]
    return ScoreEvidence(
        against=average_log_e(betting_log_e(np.concatenate(against), 1.0)),
        inside=np.min(betting_log_e(np.concatenate(inside), 1.0), axis=0),
    )


def shares_log_e(shares: npt.NDArray[np.float64], lo: float, hi: float) -> ScoreEvidence:
    """Evidence about the means of shares, each within [0, 1], of a whole: does each lie within [lo, hi].

    Against: the average over all shares of the bets that one lies below lo, and above hi. Null: every mean keeps the
    band; then each process has expectation at most 1 at every stopping time, and so has their average. Inside: the
    smallest of the bets that one is above lo, and below hi; where some mean leaves the band at one edge, that process
    has expectation at most 1, so that no factor is paid for their number. No assumption beyond the bounds 0 and 1.

    False alarms: P(against >= ln 1/a at any call) <= a, and likewise inside.
    Finds: of 16 units of which one has three times its share, that one at 10^-8 in about 300 calls; one with a
    hundredth of it in about 900. Inside a factor of 2 of 1/16 reaches 10^3 in about 150.

    >>> shares = np.full((600, 4), 0.25)
    >>> evidence = shares_log_e(shares, 0.125, 0.5)
    >>> bool(evidence.inside[-1] > np.log(1e3)), bool(evidence.against[-1] < 0)
    (True, True)

    Args:
        shares: one row a call, shape (calls, shares).
        lo, hi: the band, 0 < lo < hi; an edge of 1 or more is kept by every share.

    Raises:
        ValueError: a share outside [0, 1], or no band.

    Source: ``betting_log_e``; Waudby-Smith & Ramdas 2024 (arXiv 2010.09686).
    """
    x = np.asarray(shares, dtype=np.float64).T
    if not 0.0 < lo < hi or lo >= 1.0 or np.any(x < 0.0) or np.any(x > 1.0 + 1e-9):
        raise ValueError(
            f"shares in [{x.min():.3g}, {x.max():.3g}], band [{lo}, {hi}]: expected [0, 1] and 0 < lo < hi"
        )
    x = np.minimum(x, 1.0)
    below, over_lo = betting_log_e((lo - x) / (1.0 - lo), 1.0), betting_log_e((x - lo) / lo, 1.0)
    if hi >= 1.0:
        return ScoreEvidence(against=average_log_e(below), inside=np.min(over_lo, axis=0))
    above, under_hi = betting_log_e((x - hi) / hi, 1.0), betting_log_e((hi - x) / (1.0 - hi), 1.0)
    return ScoreEvidence(
        against=average_log_e(np.concatenate([below, above])),
        inside=np.min(np.concatenate([over_lo, under_hi]), axis=0),
    )
