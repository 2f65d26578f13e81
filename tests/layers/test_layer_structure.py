"""True fans, summed axes and blocks, measured with weights of our own: torch, each layer at sizes of its own."""

import dataclasses
import sys

import numpy as np
import pytest
import torch
from torch import nn

from initcheck.contract.profile import profile
from initcheck.layers.bench.sizes import Size
from initcheck.layers.fans import structure_of
from initcheck.layers.recognition import layer_initializer
from initcheck.questions.equal_blocks import repeats


def fans_of(target, **args):
    sampler = layer_initializer(target, "it", args).sampler
    small = tuple(s for s in sampler.sizes if s.probe or s.lookup or max(s.inputs, s.outputs) <= 32)
    found = structure_of(dataclasses.replace(sampler, sizes=small))
    return found, {(p.weight, str(p.size)): p.fans for p in found.parts}


def at(found, **arguments):
    [part] = [p for p in found.parts if dict(p.size.arguments) == arguments]
    return part


def test_linear():
    found, _ = fans_of(nn.Linear)
    part = at(found, in_features=32, out_features=8)
    assert part.fans == (32, 8)
    assert part.as_units(np.arange(256).reshape(8, 32)).shape == (8, 32)


@pytest.mark.long
def test_convolution_counts_the_kernel_and_groups_divide_it():
    found, _ = fans_of(nn.Conv2d)
    assert at(found, in_channels=32, out_channels=8, kernel_size=3).fans == (288, 72)
    assert at(found, in_channels=32, out_channels=8, kernel_size=3, groups=4).fans == (72, 18)
    assert at(found, in_channels=16, out_channels=32, kernel_size=3, groups=16).fans == (9, 18)


@pytest.mark.long
def test_a_transposed_convolution_meets_the_kernel_once_in_stride_squared():
    found, _ = fans_of(nn.ConvTranspose2d)
    strided = at(found, in_channels=32, out_channels=8, kernel_size=4, stride=2)
    assert strided.fans == (32 * 16 / 4, 8 * 16)
    grouped = at(found, in_channels=32, out_channels=8, kernel_size=3, groups=4)
    # The stored axis of 32 inputs holds four groups of eight: a unit sums over one of them.
    assert grouped.view == (4, 8, 2, 3, 3)
    assert (grouped.units, grouped.inputs) == (8, 72)


@pytest.mark.long
def test_units_of_a_grouped_transposed_convolution_are_its_output_channels():
    layer = nn.ConvTranspose2d(8, 4, 1, groups=2, bias=False)
    found, _ = fans_of(nn.ConvTranspose2d)
    part = at(found, in_channels=32, out_channels=8, kernel_size=3, groups=4)
    weight = np.random.default_rng(0).normal(size=part.shape).astype(np.float32)
    layer = nn.ConvTranspose2d(32, 8, 3, groups=4, bias=False)
    layer.weight.data = torch.tensor(weight)
    out = layer(torch.ones(1, 32, 9, 9))[0, :, 4, 4].detach().numpy()
    assert np.allclose(sorted(out), sorted(part.as_units(weight).sum(axis=1)), atol=1e-4)


@pytest.mark.parametrize(
    ("build", "fans"),
    [
        (lambda i, o: nn.ConvTranspose2d(i, o, 3, stride=2), (32 * 9 / 4, 8 * 9)),
        (lambda i, o: nn.Conv2d(i, o, 3, dilation=2), (288, 72)),
        (lambda i, o: nn.Conv1d(i, o, 5, padding=2), (160, 40)),
        (lambda i, o: nn.Conv2d(i, o, 3, stride=2, padding=1), (288, 18)),
        (lambda i, o: nn.Conv1d(i, o, 3, padding=1, padding_mode="circular"), (96, 24)),
        (lambda i, o: nn.Bilinear(i, o, o), None),
    ],
)
def test_factories_of_convolutions_that_were_not_in_the_list(build, fans):
    if fans is None:
        with pytest.raises(Exception, match="could not be fed"):
            fans_of(build)
        return
    found, _ = fans_of(build)
    [part] = [p for p in found.parts if (p.size.inputs, p.size.outputs) == (32, 8)]
    assert part.fans == fans
    assert not found.wholes


def test_bilinear_sums_over_every_product():
    found, _ = fans_of(nn.Bilinear)
    assert at(found, in1_features=8, out_features=32, in2_features=12).fans == (96, 384)


def test_gates_are_judged_one_by_one():
    found, _ = fans_of(nn.LSTM)
    blocks = [p for p in found.parts if dict(p.size.arguments) == {"input_size": 32, "hidden_size": 8}]
    assert [(p.title, p.fans) for p in blocks[:1] + blocks[-1:]] == [
        ("weight_ih_l0, block 1 of 4", (32, 8)),
        ("weight_hh_l0, block 4 of 4", (8, 8)),
    ]
    weight = np.arange(32 * 32).reshape(32, 32)
    assert np.array_equal(blocks[1].of(weight), weight[8:16])
    assert blocks[1].whole.shape == (32, 32)


@pytest.mark.parametrize(("cls", "gates"), [(nn.GRU, 3), (nn.GRUCell, 3), (nn.LSTMCell, 4), (nn.RNN, 1)])
def test_recurrent_layers(cls, gates):
    found, _ = fans_of(cls)
    assert {p.block.of if p.block else 1 for p in found.parts} == {gates}
    assert not found.notes


def test_attention_is_packed_and_an_encoder_layer_is_answered_in_full():
    found, _ = fans_of(nn.TransformerEncoderLayer)
    size = dict(found.parts[0].size.arguments)["d_model"]
    one = {p.title: p.fans for p in found.parts if dict(p.size.arguments)["d_model"] == size}
    assert one["self_attn.in_proj_weight, block 2 of 3"] == (size, size)
    assert one["self_attn.out_proj.weight"] == (size, size)
    assert one["linear1.weight"] == (size, 37)
    assert one["linear2.weight"] == (37, size)
    assert not found.notes


def test_weights_that_follow_one_another_have_fans_of_their_own():
    found, _ = fans_of(lambda i, o: nn.Sequential(nn.Conv2d(i, i, 3, groups=i), nn.Conv2d(i, o, 1)))
    assert {p.weight: p.fans for p in found.parts if (p.size.inputs, p.size.outputs) == (32, 8)} == {
        "0.weight": (9, 9),
        "1.weight": (32, 8),
    }


def test_weight_normalisation_is_run_because_its_weights_do_not_tell():
    found, _ = fans_of(lambda i, o: nn.utils.parametrizations.weight_norm(nn.Linear(i, o)))
    assert {p.weight for p in found.parts} == {"parametrizations.weight.original1"}
    assert {w.fans for w in found.wholes if w.size.inputs == 32} == {(32, 8)}


def test_scaling_at_run_time_is_seen():
    class Scaled(nn.Linear):
        def forward(self, x):
            return nn.functional.linear(x, self.weight * 3)

    assert fans_of(Scaled)[0].wholes
    assert not fans_of(nn.Linear)[0].wholes


def test_a_lookup_is_recognised_and_a_layer_without_weights_refused():
    assert fans_of(nn.Embedding)[0].lookup
    with pytest.raises(Exception, match="without weights"):
        fans_of(lambda fan_in, fan_out: nn.Sequential(nn.ReLU()))


def test_repeats_finds_copies_and_leaves_fresh_draws_alone():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(16, 8)), rng.normal(size=(16, 8))
    assert repeats(a, a[::-1])
    assert repeats(a, np.concatenate([a.ravel(), b.ravel()]).reshape(16, 16))
    assert not repeats(a, b)


def test_a_size_says_how_the_layer_was_built():
    assert str(Size((("units", 8),), 32, 8)) == "units=8, fed 32"
    assert str(Size((("in_features", 32), ("out_features", 8)), 32, 8)) == "in_features=32, out_features=8"


def test_what_is_not_judged_is_said_where_it_is_not_zero() -> None:
    def half(inputs: int, units: int) -> nn.Module:
        layer = nn.Linear(inputs, units)
        nn.init.constant_(layer.bias, 0.5)
        return layer

    def zero(inputs: int, units: int) -> nn.Module:
        layer = half(inputs, units)
        nn.init.zeros_(layer.bias)
        return layer

    assert list(fans_of(half)[0].others) == ["bias"]
    assert not fans_of(zero)[0].others
    made = layer_initializer(half, "half", {})
    said = made.subject(made, profile("quick"), 0).contract.notes
    assert "not judged: bias; the claims are about weights" in said


class Masked(nn.Module):
    """A weight that a mask keeps from some outputs, scaled by what each unit sees."""

    def __init__(self, in_features, out_features):
        super().__init__()
        mask = self.sees(torch.arange(out_features)[:, None], torch.arange(in_features)[None], in_features)
        self.register_buffer("mask", mask.float())
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / mask.sum(1, keepdim=True).clamp(1) ** 0.5)

    def sees(self, unit, place, inputs):
        return unit % inputs >= place

    def forward(self, x):
        return nn.functional.linear(x, self.weight * self.mask)


class Scattered(Masked):
    def sees(self, unit, place, inputs):
        return (unit + place) % 3 != 1


@pytest.mark.parametrize(("layer", "fans"), [(Masked, (4.5, 1.125)), (Scattered, (170 / 8, 170 / 32))])
def test_of_a_masked_weight_a_unit_has_the_whole_axis_and_a_run_tells_the_scale(layer, fans):
    found, _ = fans_of(layer)
    part = at(found, in_features=32, out_features=8)
    assert part.masked
    assert (part.units, part.inputs) == (8, 32)
    assert part.fans == pytest.approx(fans)
    assert {whole.size for whole in found.wholes} == {p.size for p in found.parts if p.masked}
    assert not at(fans_of(nn.Linear)[0], in_features=32, out_features=8).masked


def test_a_layer_that_is_reached_through_a_module_of_the_users_is_one():
    here = sys.modules[__name__]
    assert layer_initializer(lambda fan_in, fan_out: here.Masked(fan_in, fan_out), "it", {}) is not None
