"""The smallest factor, mean and correlation that is DIFFERENT in 99 of 100 runs, by shape, within 3,000 pairs.

``python tests/long/comparison/power_of_pairs.py RUNS [SHAPES]`` prints a line a shape and kind: the smallest rung of a
ladder at which at most one run in a hundred does not say DIFFERENT, how many pairs half of the runs took and how many
the slowest, and the exact lower bound, at 95 %, of the power there. Levels are those of a run: alpha 1e-6.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from initcheck.comparison.exchange import Answer, compare

Floats = npt.NDArray[np.float64]
SHAPES = ((1, 24), (3, 5), (16, 32), (64, 64))
LADDER = {
    "factor": (1.2, 1.1, 1.05, 1.03, 1.02, 1.01),
    "mean": (0.2, 0.1, 0.05, 0.02, 0.01, 0.005),
    "correlation": (0.3, 0.2, 0.1, 0.05, 0.02, 0.01),
}


def drawn(kind: str, size: float, shape: tuple[int, int], rng: np.random.Generator) -> Callable[[int, int], Floats]:
    """Normal entries with one difference of that size: in standard deviations, or of neighbours in a row."""

    def calls(start: int, stop: int) -> Floats:
        w = rng.standard_normal((stop - start, *shape))
        if kind == "factor":
            return w * size
        if kind == "mean":
            return w + size
        for j in range(1, shape[1]):
            w[:, :, j] = size * w[:, :, j - 1] + math.sqrt(1 - size * size) * w[:, :, j]
        return w

    return calls


def seen(kind: str, size: float, shape: tuple[int, int], runs: int, rng: np.random.Generator) -> list[int] | None:
    """The pairs that each run took to say DIFFERENT; None where more than one in a hundred did not."""
    pairs: list[int] = []
    missed = 0
    while len(pairs) + missed < runs:
        run = compare(drawn("factor", 1.0, shape, rng), drawn(kind, size, shape, rng), same=False)
        if run.answer is Answer.DIFFERENT:
            pairs.append(run.pairs)
        else:
            missed += 1
        if missed > runs // 100:
            return None
    return pairs


def smallest(kind: str, shape: tuple[int, int], runs: int, rng: np.random.Generator) -> str:
    """Go down a ladder as long as eight runs see it, then up until 99 of 100 do; that rung in words."""
    rung = -1
    while rung + 1 < len(LADDER[kind]) and seen(kind, LADDER[kind][rung + 1], shape, 8, rng) is not None:
        rung += 1
    for size in LADDER[kind][rung::-1] if rung >= 0 else ():
        pairs = seen(kind, size, shape, runs, rng)
        if pairs is not None:
            least = beta.ppf(0.05, len(pairs), runs - len(pairs) + 1)
            return (
                f"{size:<6} in {len(pairs)} of {runs} (power at least {least:.3f}); pairs: half in"
                f" {int(np.median(pairs))}, slowest {max(pairs)}"
            )
    return "none of the ladder"


def main(runs: int, *shapes: str) -> None:
    """Print the table."""
    asked = [tuple(map(int, text.split("x"))) for text in shapes] or SHAPES
    for rows, columns in asked:
        for kind in LADDER:
            rng = np.random.default_rng([29, rows, columns])
            print(f"({rows}, {columns})  {kind:12s} {smallest(kind, (rows, columns), runs, rng)}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
