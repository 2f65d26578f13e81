"""Reading weights into a record of sums, beside drawing them: compare the two rows of one shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from initcheck.statistics import Record


@pytest.mark.parametrize("shape", [(1, 1024, 1024), (256, 16, 16)], ids=str)
@pytest.mark.parametrize("what", ["drawing", "reading"])
def test_a_record_of_sums_beside_the_draw(benchmark: Any, what: str, shape: tuple[int, int, int]) -> None:
    benchmark.group = f"weights {shape}"
    rng = np.random.default_rng(2)
    stack = rng.standard_normal(shape, dtype=np.float32)
    benchmark.extra_info["weights"] = stack.size
    if what == "drawing":
        benchmark(lambda: rng.standard_normal(shape, dtype=np.float32))
    else:
        assert len(benchmark(lambda: Record.of(stack))) == shape[0]
