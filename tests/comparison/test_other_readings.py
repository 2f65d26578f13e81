"""Models that store one thing in different shapes: stacked, by heads, packed, transposed or grouped otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.random import Generator, default_rng

from initcheck.comparison.exchange import Answer
from initcheck.comparison.models import compare_models
from initcheck.comparison.parts import Comparison
from initcheck.comparison.weights.builds import Builds
from initcheck.comparison.weights.tensors import Tensor, units_first

Make = Callable[[Generator], list[Tensor]]


def _compared(a: Make, b: Make) -> Comparison:
    def factory(make: Make) -> Callable[..., Any]:
        def build(seed: int) -> list[Tensor]:
            return make(default_rng(seed))

        return build

    return compare_models(Builds(factory(a), "a", 0), Builds(factory(b), "b", 0))


def _flax(path: str, values: Any) -> Tensor:
    return units_first(path, "flax", np.asarray(values))


def _torch(path: str, values: Any) -> Tensor:
    return Tensor(path, "Linear", np.asarray(values, dtype=np.float32))


def _list(rng: Generator, off: float = 1.0) -> list[Tensor]:
    return [_torch(f"h.{k}.fc.weight", rng.normal(0, off if k == 2 else 1, (24, 12))) for k in range(4)]


def _scan(rng: Generator) -> list[Tensor]:
    return [_flax("layers.fc.kernel", rng.normal(size=(4, 12, 24)))]


def _heads(rng: Generator, scale: float = 1.0) -> list[Tensor]:
    return [
        _flax("attn.query.kernel", scale * rng.normal(size=(24, 3, 8))),
        _flax("attn.query.bias", np.zeros((3, 8))),
        _flax("attn.out.kernel", rng.uniform(-1, 1, (3, 8, 24))),
    ]


def _matrices(rng: Generator) -> list[Tensor]:
    return [
        _torch("q_proj.weight", rng.normal(size=(24, 24))),
        _torch("q_proj.bias", np.zeros(24)),
        _torch("out_proj.weight", rng.uniform(-1, 1, (24, 24))),
    ]


def _packed(rng: Generator) -> list[Tensor]:
    return [_torch("weight_ih", rng.normal(size=(48, 10)))]


def _gates(rng: Generator, last: float = 1.0) -> list[Tensor]:
    return [_flax(f"w.{n}", s * rng.normal(size=(16, 10))) for n, s in (("r", 1), ("z", 1), ("n", last))]


def _named(rng: Generator, last: float = 1.0) -> list[Tensor]:
    sizes = {"first": 1, "second": 1, "third": 1, "fourth": last}
    return [_torch(f"{n}.weight", s * rng.normal(size=(24, 12))) for n, s in sizes.items()]


def _tokens(rng: Generator, size: float = 1.0) -> list[Tensor]:
    return [_torch("pos_embed", size * rng.normal(size=(1, 17, 24))), _torch("fc.weight", rng.normal(size=(9, 24)))]


def _tokens_of_flax(rng: Generator) -> list[Tensor]:
    return [_flax("pos", rng.normal(size=(1, 17, 24))), _flax("fc.kernel", rng.normal(size=(24, 9)))]


def _depthwise(rng: Generator, size: float = 1.0) -> list[Tensor]:
    return [_torch("dw.weight", size * rng.normal(size=(16, 1, 3, 3)))]


def _depthwise_of_keras(rng: Generator) -> list[Tensor]:
    return [_flax("dw.kernel", rng.normal(size=(3, 3, 16, 1)))]


def _patches(rng: Generator) -> list[Tensor]:
    return [_torch("patch.weight", rng.normal(size=(24, 3, 4, 4)))]


def _patches_as_a_product(rng: Generator, size: float = 1.0) -> list[Tensor]:
    return [_flax("patch.kernel", size * rng.normal(size=(48, 24)))]


def _experts(rng: Generator, third: float = 1.0) -> list[Tensor]:
    sizes = [(k, e, n) for k in range(2) for e in range(3) for n in ("w1", "w3")]
    return [
        _torch(
            f"h.{k}.experts.{e}.{n}.weight",
            (third if e == 2 and n == "w3" else 1) * rng.normal(size=(16, 12)),
        )
        for k, e, n in sizes
    ]


def _experts_in_one(rng: Generator) -> list[Tensor]:
    """As JAX holds them, and vmap makes them."""
    return [_flax(f"h_{k}.experts.{n}.kernel", rng.normal(size=(3, 12, 16))) for k in range(2) for n in ("w1", "w3")]


def _experts_of_layers(rng: Generator) -> list[Tensor]:
    """Of a scan over blocks, each of which has a stack of experts."""
    return [_flax(f"h.experts.{n}", rng.normal(size=(2, 3, 12, 16))) for n in ("w1", "w3")]


def _gates_and_ups(rng: Generator) -> list[Tensor]:
    """As transformers holds them: gate and up in one matrix of an expert, all experts in one tensor."""
    return [_torch(f"layers.{k}.mlp.experts.gate_up_proj", rng.normal(size=(3, 32, 12))) for k in range(2)]


PAIRS: tuple[tuple[Make, Make, Make], ...] = (
    (_scan, _list, lambda rng: _list(rng, 2.0)),
    (_matrices, _heads, lambda rng: _heads(rng, 1.5)),
    (_packed, _gates, lambda rng: _gates(rng, 1.5)),
    (_list, _named, lambda rng: _named(rng, 1.5)),
    (_tokens_of_flax, _tokens, lambda rng: _tokens(rng, 1.5)),
    (_depthwise_of_keras, _depthwise, lambda rng: _depthwise(rng, 1.5)),
    pytest.param(_experts_in_one, _experts, lambda rng: _experts(rng, 1.5), marks=pytest.mark.long),
    pytest.param(_experts_of_layers, _experts, lambda rng: _experts(rng, 1.5), marks=pytest.mark.long),
    (_gates_and_ups, _experts, lambda rng: _experts(rng, 1.5)),
    (_patches, _patches_as_a_product, lambda rng: _patches_as_a_product(rng, 1.5)),
)


@pytest.mark.parametrize(("a", "same", "other"), PAIRS, ids=lambda make: make.__name__.strip("_<>"))
def test_one_law_in_other_shapes_is_the_same_and_another_is_told(a: Make, same: Make, other: Make) -> None:
    for one, two in ((a, same), (same, a)):
        found = _compared(one, two)
        assert found.missing == ()
        assert {part.answer for part in found.parts} == {Answer.SAME}
    found = _compared(a, other)
    assert found.missing == ()
    assert found.of(Answer.DIFFERENT)


def test_a_tensor_that_only_one_side_has_has_no_partner_in_any_reading() -> None:
    found = _compared(_packed, lambda rng: [*_packed(rng), _flax("more.kernel", rng.normal(size=(4, 5, 6)))])
    assert found.missing == ("more.kernel of B, a tensor of shape (6, 5, 4), has no partner in A",)


def test_blocks_of_another_number_are_no_partners() -> None:
    found = _compared(_scan, lambda rng: _list(rng)[:3])
    assert len(found.missing) == 2


def test_what_is_read_otherwise_is_said() -> None:
    said = " ".join(_compared(_matrices, _heads).notes)
    assert "attn.query.kernel, attn.out.kernel of B: kernels with several axes of inputs or units" in said
    assert "attn.query.bias of B: read as vectors" in said


def test_a_transposed_convolution_of_torch_has_its_units_first() -> None:
    def build() -> torch.nn.Module:
        return torch.nn.ConvTranspose2d(6, 10, 3)

    def grouped() -> torch.nn.Module:
        return torch.nn.ConvTranspose2d(6, 10, 3, groups=2)

    assert Builds(build, "a", 0).roles[0].shape == (10, 6, 3, 3)
    assert Builds(grouped, "a", 0).roles[0].shape == (6, 5, 3, 3)


def test_a_module_called_value_keeps_its_name_and_a_tree_its_order() -> None:
    jax = pytest.importorskip("jax")

    def build(key: Any) -> dict[str, Any]:
        return {name: {"kernel": jax.random.normal(key, (4, 4))} for name in ("query", "key", "value")}

    assert [role.path for role in Builds(build, "a", 0).roles] == ["query.kernel", "key.kernel", "value.kernel"]


def test_experts_have_those_of_their_number_as_partners() -> None:
    parts = _compared(_experts, _experts_in_one).parts
    numbers = [re.findall(r"experts\.(\d).*(w\d).*(w\d).*\[(\d)", p.name + p.partner)[0] for p in parts]
    assert len(numbers) == 6
    assert all((expert, name) == (other, its) for expert, name, its, other in numbers)


def test_a_stack_whose_axis_is_counted_to_the_fan_is_named() -> None:
    def drawn(count: int) -> Make:
        return lambda rng: [_flax("experts.up.kernel", rng.normal(0, (12 * count) ** -0.5, size=(5, 12, 24)))]

    def apart(rng: Generator) -> list[Tensor]:
        return [_torch(f"experts.{k}.up.weight", rng.normal(0, 12**-0.5, size=(24, 12))) for k in range(5)]

    [part] = _compared(apart, drawn(5)).parts
    assert "one over the root of the 5 layers or experts that B holds in one tensor" in (part.cause or "")
    assert _compared(apart, drawn(1)).parts[0].answer is Answer.SAME


@pytest.mark.parametrize(("hidden", "same"), [(0.0, True), (0.5, False)])
def test_the_two_biases_of_an_lstm_are_read_as_their_sum(hidden: float, same: bool) -> None:
    def module(seed: int) -> Any:
        torch.manual_seed(seed)
        net = torch.nn.LSTM(6, 5)
        for name, p in net.named_parameters():
            torch.nn.init.normal_(p) if p.ndim > 1 else torch.nn.init.constant_(p, hidden if "hh" in name else 1)
        return net

    def one(rng: Generator) -> list[Tensor]:
        kernels = _flax("kernel", rng.normal(size=(6, 20))), _flax("recurrent_kernel", rng.normal(size=(5, 20)))
        return [*kernels, _flax("bias", np.ones(20))]

    found = compare_models(Builds(module, "a", 0), Builds(lambda seed: one(default_rng(seed)), "b", 0))
    assert found.missing == ()
    assert any("bias_ih_l0 and bias_hh_l0 of A: read as their sum" in note for note in found.notes)
    assert all(part.answer is Answer.SAME for part in found.parts) is same


@pytest.mark.parametrize(("reset", "same"), [(0.0, True), (1.0, False)])
def test_two_biases_in_one_tensor_are_those_of_a_gru(reset: float, same: bool) -> None:
    def module() -> Any:
        net = torch.nn.GRU(6, 5)
        for p in net.parameters():
            torch.nn.init.constant_(p, 1.0 if p.ndim > 1 else 0.0)
        return net

    bias = _flax("bias", np.stack([np.zeros(15), np.full(15, reset)]))
    one = [_flax("kernel", np.ones((6, 15))), _flax("recurrent_kernel", np.ones((5, 15))), bias]
    found = compare_models(Builds(module, "a", 0), Builds(lambda: one, "b", 0))
    assert found.missing == ()
    assert all(part.answer is Answer.SAME for part in found.parts) is same


def test_the_biases_of_a_gru_are_two() -> None:
    gru = torch.nn.GRU(6, 5)
    one = [_flax("kernel", np.ones((6, 15))), _flax("recurrent_kernel", np.ones((5, 15))), _flax("bias", np.ones(15))]
    found = compare_models(Builds(lambda: gru, "a", 0), Builds(lambda: one, "b", 0))
    [words] = found.missing
    assert words.startswith("bias_ih_l0 of A")
