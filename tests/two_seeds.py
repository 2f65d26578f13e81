"""What an initializer draws of one seed, of the same seed once more, and of another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from initcheck.contract.initializer import Initializer, Shape

__all__ = ["draws_the_same_again", "one_again_other"]


def one_again_other(initializer: Initializer, shape: Shape) -> list[npt.NDArray[np.float32]]:
    """The weights of seed 1, of seed 1 once more, and of seed 2."""
    return [np.asarray(initializer.sampler.to_numpy(r)) for r in initializer.sampler.calls(shape, [1, 1, 2], "float32")]


def draws_the_same_again(initializer: Initializer, shape: Shape) -> bool:
    """Whether it draws finite weights of the shape asked, which the same seed gives again."""
    one, again, _ = one_again_other(initializer, shape)
    return one.shape == shape and np.array_equal(one, again) and bool(np.isfinite(one).all())
