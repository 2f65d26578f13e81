"""Orthogonality: the tolerance is rounding and no more, and every kind of preference for a direction is found."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from initcheck import check
from initcheck.contract.contract import Contract
from initcheck.contract.layer import Layer
from initcheck.gallery import orthogonal
from initcheck.questions.orthogonality import is_orthogonal, keeps_the_norm, rounding_of
from initcheck.report.verdict import Verdict
from initcheck.statistics import Record

Array = npt.NDArray[Any]
PROMISE = {
    "activation": "linear", "fan": "fan_max", "layout": "out_in", "distribution": "orthogonal", "entries": "dependent",
}  # fmt: skip


def verdict(function: Callable[..., Any], claim: str, **more: Any) -> Any:
    return check(function, contract={**PROMISE, "widths": (4, 64), **more}, claims=[claim], profile="quick")[claim]


@pytest.mark.parametrize("side", [2, 16, 256])
def test_lapack_is_within_the_rounding_allowed(side: int) -> None:
    q = np.linalg.qr(np.random.default_rng(side).standard_normal((side, side)).astype(np.float32))[0]
    off = np.abs(q.astype(np.float64) @ q.astype(np.float64).T - np.eye(side)).max()
    assert 0 < off < rounding_of(Layer((side, side)), "float32") < 1e-3


def test_storing_in_low_precision_is_allowed_for() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    q = orthogonal((64, 64), np.random.default_rng(3)).astype(ml_dtypes.bfloat16).astype(np.float64)
    off = np.abs(q @ q.T - np.eye(64)).max()
    assert rounding_of(Layer((64, 64)), "float32") < off < rounding_of(Layer((64, 64)), "bfloat16")


@pytest.mark.long
def test_a_gain_is_held_to_exactly() -> None:
    def ten_percent_more(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return np.float32(1.1) * orthogonal(shape, rng)

    assert verdict(ten_percent_more, "orthogonal-to-rounding").verdict is Verdict.FAILS
    assert verdict(ten_percent_more, "orthogonal-to-rounding", gain=1.1).verdict is Verdict.HOLDS
    # Of tanh two gains are in use, and the scale claims judge them.
    assert verdict(ten_percent_more, "orthogonal-to-rounding", activation="tanh", gain=1.1).verdict is Verdict.HOLDS


@pytest.mark.long
def test_one_row_that_leans_on_another_is_found() -> None:
    def leaning(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        w = orthogonal(shape, rng)
        w[0] += np.float32(1e-3) * w[-1]
        return w

    result = verdict(leaning, "orthogonal-to-rounding")
    assert result.verdict is Verdict.FAILS
    assert "off the identity by 0.001" in result.evidence.measured


@pytest.mark.long
def test_a_signed_permutation_is_orthogonal_and_prefers_the_axes() -> None:
    def permutation(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        side = max(shape)
        w = np.eye(side, dtype=np.float32)[rng.permutation(side)] * rng.choice([-1, 1], side)
        return np.asarray(w[: shape[0], : shape[1]], dtype=np.float32)

    assert verdict(permutation, "orthogonal-to-rounding").verdict is Verdict.HOLDS
    result = verdict(permutation, "haar-distributed")
    assert result.verdict is Verdict.FAILS
    assert "Q_ij^4" in result.evidence.measured


@pytest.mark.long
def test_a_missing_sign_fix_is_found_though_its_first_entry_is_fair() -> None:
    def first_row_flipped(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        q = np.linalg.qr(rng.standard_normal((max(shape), min(shape))))[0]
        q[:, 0] *= rng.choice([-1, 1])
        return np.ascontiguousarray(q if shape[0] >= shape[1] else q.T, dtype=np.float32)

    result = verdict(first_row_flipped, "haar-distributed")
    assert result.verdict is Verdict.FAILS
    assert "Q_11" not in result.evidence.measured


def test_qr_as_it_comes_has_a_trace_of_minus_057_sqrt_n() -> None:
    rng = np.random.default_rng(0)
    traces = [np.trace(np.linalg.qr(rng.standard_normal((64, 64)))[0]) for _ in range(400)]
    assert np.mean(traces) / math.sqrt(64) == pytest.approx(-0.57, abs=0.03)


def test_neither_is_asked_of_who_does_not_promise_it() -> None:
    for claim in ("orthogonal-to-rounding", "haar-distributed"):
        result = check("initcheck.gallery:he_unit_rows", claims=[claim], profile="quick")[claim]
        assert result.verdict is Verdict.NOT_APPLICABLE
        assert result.reason == "distribution=orthogonal is not declared"


@pytest.mark.parametrize("shape", [(2, 1), (3, 1), (2, 2), (3, 2), (5, 3)])
def test_lapacks_rounding_of_the_smallest_matrices_is_allowed(shape: tuple[int, int]) -> None:
    """Of 20,000 draws the worst is up to 12 u off: one reflector costs a few roundings however short it is.

    By PyTorch, which factorises in float32 where NumPy does so in float64.
    """
    drawn = np.random.default_rng(3).standard_normal((20_000, *shape), dtype=np.float32)
    exact = torch.linalg.qr(torch.from_numpy(drawn))[0].double().numpy()
    off = np.abs(np.swapaxes(exact, 1, 2) @ exact - np.eye(shape[1])).max()
    allowed = rounding_of(Layer(shape), "float32")
    assert off <= allowed
    assert allowed <= 4 * off


def delta_orthogonal(shape: tuple[int, ...], seed: int, gain: float = 1.0, *, exactly: bool = True) -> Array:
    """Xiao et al. 2018, algorithm 1: an orthogonal matrix at the centre of a kernel, or a corner of one."""
    units, channels = shape[:2]
    side, rng = max(units, channels), np.random.default_rng(seed)
    drawn = rng.normal(0, side**-0.5, (side, side))
    kernel = np.zeros(shape, np.float32)
    middle = (slice(None), slice(None), *(n // 2 for n in shape[2:]))
    kernel[middle] = gain * (np.linalg.qr(drawn)[0] if exactly else drawn)[:units, :channels]
    return kernel


def asked(kernels: list[Array], layer: Layer, contract: Contract) -> Any:
    stack = layer.as_units(np.stack(kernels))
    return SimpleNamespace(
        dtype="float32",
        subject=SimpleNamespace(contract_of=lambda _: contract),
        draws=SimpleNamespace(sample=lambda *_: stack, records=lambda *_: Record.of(stack)),
        holds=lambda *_, **shown: "HOLDS",
        fail=lambda *_, **shown: pytest.fail(shown["measured"]),
    )


@pytest.mark.parametrize("shape", [(8, 3, 3, 3), (3, 8, 3, 3), (8, 8, 3, 3), (8, 3, 1, 1)])
@pytest.mark.parametrize(
    ("how", "on"), [({}, True), ({"exactly": False}, False), ({"gain": 0.5}, False)], ids=["sound", "loose", "half"]
)
def test_a_delta_orthogonal_kernel_keeps_the_norm_with_more_units_than_channels(
    shape: tuple[int, ...], how: dict[str, Any], on: bool
) -> None:
    layer = Layer(shape, "oihw")
    trial = asked([delta_orthogonal(shape, n, **how) for n in range(4)], layer, Contract(activation="linear"))
    assert keeps_the_norm(trial, layer) is (on and shape[0] > shape[1])


def test_the_position_of_a_kernel_that_is_drawn_must_be_one() -> None:
    layer = Layer((8, 3, 3, 3), "oihw")
    kernels = [delta_orthogonal(layer.shape, n) for n in range(3)]
    kernels.append(np.roll(kernels[0], 1, axis=3))
    assert not keeps_the_norm(asked(kernels, layer, Contract(activation="linear")), layer)


@pytest.mark.parametrize("shape", [(8, 3, 3, 3), (3, 8, 3, 3)])
def test_a_delta_orthogonal_kernel_is_orthogonal_whichever_side_is_longer(shape: tuple[int, ...]) -> None:
    layer, contract = Layer(shape, "oihw"), Contract(activation="linear", distribution="orthogonal")
    is_orthogonal(asked([delta_orthogonal(shape, n) for n in range(4)], layer, contract), layer)
    with pytest.raises(pytest.fail.Exception, match="off the identity"):
        is_orthogonal(asked([delta_orthogonal(shape, n, exactly=False) for n in range(4)], layer, contract), layer)


@pytest.mark.parametrize("shape", [(8, 3, 3, 3), (8, 4, 5)])
def test_a_delta_orthogonal_kernel_with_a_dead_channel_is_not_orthogonal(shape: tuple[int, ...]) -> None:
    """What is left of it has orthonormal columns; the channel that is never drawn loses its norm."""
    layer = Layer(shape, {4: "oihw", 3: "oiw"}[len(shape)])
    kernels = [delta_orthogonal(shape, n) for n in range(4)]
    for kernel in kernels:
        kernel[:, -1] = 0
    trial = asked(kernels, layer, Contract(activation="linear", distribution="orthogonal"))
    assert not keeps_the_norm(trial, layer)
    with pytest.raises(pytest.fail.Exception, match="off the identity by 1"):
        is_orthogonal(trial, layer)


def test_a_kernel_of_another_energy_is_told_by_its_sums_and_drawn_no_further() -> None:
    layer, contract = Layer((8, 3, 3, 3), "oihw"), Contract(activation="linear")
    rng = np.random.default_rng(0)
    trial = asked([rng.normal(0, 27**-0.5, layer.shape).astype(np.float32) for _ in range(4)], layer, contract)
    trial.draws.sample = lambda *_: pytest.fail("draws whole calls")
    assert not keeps_the_norm(trial, layer)


def test_a_kernel_of_that_energy_is_looked_at_whole() -> None:
    """A normal kernel that was scaled to its energy: the trace of W^T W is right and W^T W is not."""
    layer, contract = Layer((8, 3, 3, 3), "oihw"), Contract(activation="linear")
    rng = np.random.default_rng(0)
    kernels = [kernel * (3 / np.square(kernel).sum()) ** 0.5 for kernel in rng.normal(size=(4, *layer.shape))]
    assert not keeps_the_norm(asked(kernels, layer, contract), layer)
