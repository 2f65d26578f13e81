"""How often one law is called DIFFERENT, at three levels and for nine laws, with exact bounds.

``python tests/long/comparison/calibration_of_pairs.py RUNS`` prints a line a law: of RUNS runs how many are called
DIFFERENT at 0.2, 0.05 and 0.01, and the exact upper bound, at 95 %, of the rate behind them.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
from scipy.stats import beta

sys.path.insert(0, str(Path(__file__).parents[2] / "comparison"))

import laws_of_calls as laws

from initcheck.comparison.exchange import Answer, compare

LAWS = (
    laws.normal, laws.uniform, laws.student, laws.cauchy, laws.sparse, laws.orthogonal, laws.rows_of_their_own_gain,
    laws.calls_of_their_own_gain, laws.autocorrelated,
)  # fmt: skip
LEVELS = (0.2, 0.05, 0.01)


def false_alarms(law: laws.Law, runs: int, seed: int) -> list[int]:
    """Of so many runs on one law, how many say DIFFERENT at each level within 128 pairs.

    A smaller level is reached later, never sooner: the e-value at the end bounds it.
    """
    rng = np.random.default_rng(seed)
    calls = laws.calls_of(law, rng)
    found = [compare(calls, calls, alpha=LEVELS[0], first=32, most=128, same=False) for _ in range(runs)]
    return [
        sum(run.answer is Answer.DIFFERENT and run.log10_e >= -math.log10(level) for run in found) for level in LEVELS
    ]


def main(runs: int) -> None:
    """Print the table."""
    for law in LAWS:
        counts = false_alarms(law, runs, 17)
        said = [
            f"{count:3d} at {level} (<= {beta.ppf(0.95, count + 1, runs - count):.3f})"
            for level, count in zip(LEVELS, counts, strict=True)
        ]
        print(f"{law.__name__:24s} {runs} runs: {', '.join(said)}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
