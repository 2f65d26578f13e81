"""The smallest factor, mean and correlation that is DIFFERENT in 99 of 100 runs, by shape.

``python tests/long/comparison/power_of_pairs.py RUNS`` prints a line a shape and kind: the smallest of a ladder of
sizes at which every run says DIFFERENT within 3,000 pairs, and how many pairs the slowest took.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from initcheck.comparison.exchange import Answer, compare

Floats = npt.NDArray[np.float64]
SHAPES = ((16, 32), (3, 5), (64, 64))
LADDER = {
    "factor": (1.01, 1.02, 1.03, 1.05, 1.1, 1.2, 1.4),
    "mean": (0.005, 0.01, 0.02, 0.05, 0.1, 0.2),
    "correlation": (0.01, 0.02, 0.05, 0.1, 0.2),
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


def main(runs: int) -> None:
    """Print the table."""
    rng = np.random.default_rng(29)
    for shape in SHAPES:
        for kind, sizes in LADDER.items():
            for size in sizes:
                found = [
                    compare(drawn("factor", 1.0, shape, rng), drawn(kind, size, shape, rng), same=False)
                    for _ in range(runs)
                ]
                if all(run.answer is Answer.DIFFERENT for run in found):
                    print(
                        shape, kind, size, f"{runs} of {runs}, at most {max(r.pairs for r in found)} pairs", flush=True
                    )
                    break
            else:
                print(shape, kind, "none of the ladder", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
