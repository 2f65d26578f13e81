"""Where in a role two models differ, in words: one tensor of many, rows, copies, a type, a square root forgotten."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from numpy.random import Generator, default_rng

from initcheck.comparison.exchange import Answer
from initcheck.comparison.models import compare_models
from initcheck.comparison.parts import Compared
from initcheck.comparison.weights.builds import Builds
from initcheck.comparison.weights.tensors import Tensor

Draw = Callable[[Generator], Any]


def _blocks(scales: tuple[float, ...] = (1.0,) * 12, copies: bool = False) -> Draw:
    def draw(rng: Generator) -> list[Tensor]:
        drawn = [rng.normal(size=(20, 20)) for _ in scales]
        arrays = [0.1 * s * drawn[0 if copies else k] for k, s in enumerate(scales)]
        return [Tensor(f"layers.{k}.weight", "Linear", np.float32(w)) for k, w in enumerate(arrays)]

    return draw


def _one(values: Draw) -> Draw:
    return lambda rng: [Tensor("tok.weight", "Embedding", np.float32(values(rng)))]


def _padded(rng: Generator) -> Any:
    w = rng.normal(size=(60, 24))
    w[0] = 0
    return w


def _forget(rng: Generator) -> Any:
    return np.repeat([0.0, 1.0, 0.0, 0.0], 32)


def _bfloat16(rng: Generator) -> Any:
    """As a normal is drawn in bfloat16: of 7 random bits, which reach 2.7 standard deviations."""
    sizes = np.array([NormalDist().inv_cdf((k + 0.5) / 128) for k in range(128)])
    drawn = np.float32(rng.choice(sizes / sizes.std(), (64, 32)))
    return ((drawn.view(np.uint32) + 0x8000) & 0xFFFF0000).view(np.float32)


def _compare(a: Draw, b: Draw) -> list[Compared]:
    def factory(draw: Draw) -> Callable[..., Any]:
        def build(seed: int) -> Any:
            return draw(default_rng(seed))

        return build

    return compare_models(Builds(factory(a), "a", 0), Builds(factory(b), "b", 0)).parts


def _normal(scale: float = 1.0) -> Draw:
    return _one(lambda rng: scale * rng.normal(size=(60, 24)))


def _one_uniform(rng: Generator) -> list[Tensor]:
    drawn = [rng.normal(size=(20, 20)) if k != 5 else rng.uniform(-(3**0.5), 3**0.5, (20, 20)) for k in range(12)]
    return [Tensor(f"layers.{k}.weight", "Linear", np.float32(0.1 * w)) for k, w in enumerate(drawn)]


def _norms(odd: float) -> Draw:
    return lambda rng: [Tensor(f"h.{k}.ln.weight", "LN", np.full(8, odd if k == 7 else 1.0)) for k in range(12)]


def _pruned(rng: Generator) -> Any:
    w = rng.normal(size=(60, 24))
    w[np.abs(w) < np.quantile(np.abs(w), 0.3)] = 0
    return w


CAUSES = (
    (_blocks(), _one_uniform, "layers.5.weight of B is a uniform where A has a normal, the other 11 of the role are a"),
    (_norms(1.0), _norms(0.0), "h.7.ln.weight of B is zero, and not so in A, the other 11 of the role are alike"),
    (_norms(0.0), _norms(1.0), "h.7.ln.weight of A is zero, and not so in B, the other 11 of the role are alike"),
    (_one(lambda rng: 1e4 ** -(np.arange(8) / 8)), _one(lambda rng: 5e5 ** -(np.arange(8) / 8)),
     "rows 1 to 7 of A: 0.3162 to 0.0003162; of B: 0.1939 to 1.031e-05; the other rows are alike"),
    (_normal(), _one(_pruned), "A is a normal, B is sparse, 70 % of the weights not zero"),
    (_blocks(), _blocks((1.0,) * 7 + (1.2,) + (1.0,) * 4), "layers.7.weight of B is 1.2 times what A has there"),
    (_blocks((1.0,) * 7 + (1.2,) + (1.0,) * 4), _blocks(), "layers.7.weight of A is 1.2 times what B has there"),
    (_one_uniform, _blocks(), "layers.5.weight of A is a uniform where B has a normal, the other 11 of the role are a"),
    (_blocks(), _blocks(copies=True), "12 tensors of B hold the same random numbers (layers.0.weight, "),
    (_one(_padded), _normal(), "row 0 of A: zero; of B: random; the other rows are alike"),
    (_one(_forget), _one(lambda rng: np.zeros(128)), "rows 32 to 63 of A: 1; of B: zero; the other rows are alike"),
    (_one(lambda rng: rng.uniform(-0.2, 0.2, 48)), _one(lambda rng: np.zeros(48)), "A is a uniform, variance 0.013"),
    (_one(lambda rng: np.ones(48)), _one(lambda rng: np.zeros(48)), "A is 1 everywhere, B is zero everywhere"),
    (_normal(0.02), _normal(0.0004), "B's variance is the square of A's: it stands where the standard dev"),
    (_one(lambda rng: rng.normal(size=(64, 32))), _one(_bfloat16), "B holds numbers of bfloat16 alone, A does not"),
    # As torch draws a transposed convolution, and what a port by fan_in makes of it.
    (_normal(180**-0.5), _normal(72**-0.5), "A's variance is 1/(3 fan_out), B's is 1/(3 fan_in)"),
    (_normal(), _normal(1.3), "B's weights are 1.3 times A's"),
)  # fmt: skip


@pytest.mark.parametrize(("a", "b", "words"), CAUSES, ids=[words[:24] for _, _, words in CAUSES])
def test_where_and_in_what_they_differ_is_said(a: Draw, b: Draw, words: str) -> None:
    [part] = _compare(a, b)
    assert part.answer is Answer.DIFFERENT
    assert words in (part.cause or "")


@pytest.mark.parametrize("law", [a for a, *_ in CAUSES[:4]], ids=["blocks", "again", "padded", "gates"])
def test_one_law_of_such_places_is_the_same(law: Draw) -> None:
    [part] = _compare(law, lambda rng: law(default_rng(rng.integers(2**32))))
    assert part.answer is Answer.SAME


def test_a_constant_is_mended_by_the_constant() -> None:
    [part] = _compare(_one(lambda rng: np.ones(48)), _one(lambda rng: np.zeros(48)))
    assert part.fix == "let B be 1"


def test_what_the_measure_has_odd_is_asked_of_the_other() -> None:
    """The last norm of a block starts at zero, which a port forgot: of two tensors one is odd."""

    def norms(last: float) -> Draw:
        return lambda rng: {"block.bn1.scale": np.ones(16), "block.bn2.scale": np.full(16, last)}

    [part] = _compare(norms(0.0), norms(1.0))
    assert part.cause == "block.bn2.scale of A is zero, and not so in B, the other of the role is alike"
    assert part.fix == "let block.bn2.scale of B start as A has it, unlike the others"
    assert [p.answer for p in _compare(norms(0.0), norms(0.0))] == [Answer.SAME]


@pytest.mark.parametrize(("low", "answer"), [(-0.1, Answer.SAME), (0.0, Answer.DIFFERENT)])
def test_a_uniform_that_begins_at_zero_is_told(low: float, answer: Answer) -> None:
    both = _one(lambda rng: rng.uniform(-0.1, 0.1, 64))
    [part] = _compare(both, _one(lambda rng: rng.uniform(low, 0.1, 64)))
    assert part.answer is answer
    if low == 0:
        assert part.cause == "B's weights are never negative, A's have both signs"
        assert "uniform(-s, s)" in (part.fix or "")


def _block_of(std: dict[str, float]) -> Draw:
    return lambda rng: {f"h.{k}.{n}": rng.normal(0, s, (16, 16)) for k in range(2) for n, s in std.items()}


def test_a_depth_that_every_matrix_is_scaled_by_is_a_factor() -> None:
    usual = {"up": 0.1, "down": 0.1, "gate": 0.1}
    found = _compare(_block_of(usual), _block_of(dict.fromkeys(usual, 0.05)))
    assert all("times A's" in (part.cause or "") and "sqrt" not in (part.cause or "") for part in found)
    writers = [part for part in _compare(_block_of(usual), _block_of({**usual, "down": 0.05})) if part.cause]
    assert [part.cause for part in writers] == ["B's weights are scaled by 1/sqrt(2 L) (L = 2 blocks), A's are not"]
