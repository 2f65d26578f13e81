"""The cause that is named of a layer: what its variance goes with, what its draws show, what it was never held to."""

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from initcheck.claims.registry import find
from initcheck.contract.profile import profile
from initcheck.layers.bench.sizes import Size
from initcheck.layers.part import Whole
from initcheck.layers.recognition import layer_initializer
from initcheck.layers.run_causes import cause_of_a_run
from initcheck.layers.subject import LayerSubject
from initcheck.report.verdict import Evidence


def subject_of(target, most=32):
    initializer = layer_initializer(target, "it", {})
    sampler = initializer.sampler
    small = tuple(s for s in sampler.sizes if max(s.inputs, s.outputs) <= most)
    return LayerSubject(initializer, profile("quick"), 0, sampler=dataclasses.replace(sampler, sizes=small))


def cause_of(target, claim="output-variance-near-one", most=32, **failed):
    subject = subject_of(target, most)
    case = subject.plan_of(find(claim))[0]
    return subject.likely_cause(find(claim), Evidence(case=case.described("float32"), **failed))


class Noisy(nn.Module):
    """A scale of a noise that is off: it is one number, and reaches no output."""

    def __init__(self, in_features, out_features, noise=0.0):
        super().__init__()
        bound = 1 / math.sqrt(in_features)
        self.noise = noise
        self.scale = nn.Parameter(torch.full((out_features, in_features), 0.5 * bound))
        self.mean = nn.Parameter(torch.empty(out_features, in_features).uniform_(-bound, bound))

    def forward(self, x):
        return nn.functional.linear(x, self.mean + self.noise * self.scale)


def test_a_scale_of_a_noise_that_is_off_is_no_weight():
    found = subject_of(Noisy).structure
    assert {p.weight for p in found.parts} == {"mean"}
    assert found.parts[0].place == 1
    assert any("scale was not judged" in note for note in found.notes)
    on = subject_of(lambda in_features, out_features: Noisy(in_features, out_features, 1.0)).structure
    assert {p.weight for p in on.parts} == {"scale", "mean"}


def test_where_every_size_fits_two_fans_that_with_a_constant_which_is_written_is_named():
    def grouped(in_channels, out_channels, groups=4):
        conv = nn.Conv2d(in_channels, out_channels, 3, groups=groups, bias=False)
        nn.init.normal_(conv.weight, std=(9 * in_channels) ** -0.5)
        return conv

    assert "counts the inputs of all groups" in cause_of(grouped).sentence


@pytest.mark.parametrize(("over", "said"), [("in_channels", "not the kernel's positions"), ("9 * in_channels", "He")])
def test_a_fan_that_counts_channels_alone_is_told_from_a_gain(over, said):
    def conv(in_channels, out_channels):
        made = nn.Conv2d(in_channels, out_channels, 3, bias=False)
        nn.init.normal_(made.weight, std=(2 / eval(over, {"in_channels": in_channels})) ** 0.5)
        return made

    assert said in cause_of(conv).sentence


class Measured:
    """A statistic of a layer that is run, whose mean goes with its widths as it is told."""

    def __init__(self, size, law):
        noise = 1 + 0.1 * np.random.default_rng(size.inputs * 1000 + size.outputs).standard_normal(48)
        self.values = law(size.inputs, size.outputs) * noise

    def per_call(self, record):
        return self.values


@pytest.mark.parametrize(
    ("law", "said", "factor"),
    [
        (lambda i, o: 0.25 * i, "has 0.25*inputs times the variance that is due: it goes with the inputs", "2/sqrt"),
        (lambda i, o: 2 * i / o, "has 2*inputs/outputs times", "0.71*sqrt(outputs)/sqrt(inputs) in all"),
        (lambda i, o: 0.04, "has 0.04 times the variance that is due, at every width", "by 5 in all"),
        (lambda i, o: 1.0, None, None),
        (lambda i, o: 0.1 if i > 40 else 1.0, None, None),
        (lambda i, o: 0.0, "the output is zero in every build", "draw that weight"),
        (lambda i, o: 0.0 if i == 1 else 0.25, None, None),
    ],
)
def test_a_layer_that_is_run_is_told_how_its_output_goes_with_its_widths(law, said, factor):
    cause = cause_of_a_run(_runs(law), SimpleNamespace(records=lambda *_: None), "float32", "output")
    assert (cause is None) == (said is None)
    if cause is not None:
        assert said in cause.sentence
        assert factor in cause.fix


def _runs(law, slope=0.0):
    sizes = [Size((), inputs=i, outputs=o) for i, o in ((32, 8), (8, 32), (64, 64), (1, 64), (64, 1))]
    wholes = [
        Whole(shape=(16, 1), size=s, number=n, fans=(1.0, 1.0), gradients=1, slope=slope) for n, s in enumerate(sizes)
    ]
    return [(w, Measured(w.size, law)) for w in wholes]


def test_no_number_is_said_of_what_is_fed_by_its_own_weights():
    draws = SimpleNamespace(records=lambda *_: None)
    sine = cause_of_a_run(_runs(lambda i, o: 0.006 / i, slope=1.0), draws, "float32", "output")
    assert sine.fix.startswith("multiply the weights by sqrt(inputs), then by a constant that is found by trial")
    relu = cause_of_a_run(_runs(lambda i, o: 0.006 / i, slope=2.0), draws, "float32", "output")
    assert "by 13*sqrt(inputs) in all" in relu.fix


def test_the_default_of_pytorch_behind_a_parametrization_is_no_matter_of_a_factor():
    draws = SimpleNamespace(records=lambda *_: None)
    third, half = (_runs(lambda i, o, k=k: k) for k in (1 / 3, 0.5))
    assert "is lost" in cause_of_a_run(third, draws, "float32", "output", parametrised=True).sentence
    assert "is lost" not in cause_of_a_run(third, draws, "float32", "output").sentence
    assert "is lost" not in cause_of_a_run(half, draws, "float32", "output", parametrised=True).sentence


class Experts(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(4, out_features, in_features))
        nn.init.kaiming_normal_(self.weight, nonlinearity="linear")

    def forward(self, x):
        return torch.einsum("bi,eoi->beo", x, self.weight)


class ExpertsInOut(nn.Module):
    """As ``lecun_normal`` of JAX fills a stack of (in, out)."""

    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, in_features, out_features) * (4 * in_features) ** -0.5)

    def forward(self, x):
        return torch.einsum("bi,eio->beo", x, self.weight)


@pytest.mark.parametrize(
    ("layer", "counted"), [(Experts, "shape[1] * shape[2]"), (ExpertsInOut, "shape[-2] * shape[0]")]
)
def test_of_a_stack_the_axes_are_named_that_were_counted(layer, counted):
    cause = cause_of(layer, most=64)
    assert cause.sentence.startswith(f"variance is 1/({counted}): an axis beside two is counted as a kernel's")
    assert "one matrix at a time" in cause.fix


def test_draws_of_a_layer_tell_the_causes_of_other_claims():
    class Positive(nn.Linear):
        def reset_parameters(self):
            self.weight.data.uniform_(0, math.sqrt(3 / self.in_features))

    assert cause_of(Positive, "zero-mean", most=64).sentence.startswith("a uniform on [0, b)")
    repeated = cause_of(Positive, "entries-are-independent", measured="value repeats gate in every layer")
    assert "one key" in repeated.sentence


class Branches(nn.Module):
    """Branches that are added: of each the power of its matrix, 2 for He's law and 1 for LeCun's."""

    def __init__(self, in_features, out_features, powers, factor=1.0):
        super().__init__()
        drawn = [torch.randn(out_features, in_features) * math.sqrt(power / in_features) for power in powers]
        self.branches = nn.ParameterList([nn.Parameter(matrix) for matrix in drawn])
        self.a = nn.Parameter(torch.randn(4, in_features) / math.sqrt(in_features))
        self.b = nn.Parameter(torch.zeros(out_features, 4))
        self.factor = factor

    def forward(self, x):
        return self.factor * sum(x @ w.T for w in self.branches) + x @ self.a.T @ self.b.T


@pytest.mark.parametrize(
    ("powers", "factor", "activation"),
    [((2,), 1.0, "relu"), ((1, 1), 1.0, "linear"), ((2, 2), 1.0, "linear"), ((2,), math.sqrt(0.5), "linear")],
)
def test_what_one_matrix_of_he_gives_alone_serves_a_relu(powers, factor, activation):
    def build(in_features, out_features):
        return Branches(in_features, out_features, powers, factor)

    assert subject_of(build).contract.activation == activation


def test_zeros_beside_weights_that_are_drawn_are_asked_for_no_law():
    class LoRA(nn.Module):
        def __init__(self, in_features, out_features, drawn=True):
            super().__init__()
            self.base = nn.Linear(in_features, out_features, bias=False)
            self.a = nn.Parameter(torch.randn(8, in_features))
            self.b = nn.Parameter(torch.zeros(out_features, 8))
            if not drawn:
                nn.init.zeros_(self.base.weight)
                nn.init.zeros_(self.a)

        def forward(self, x):
            return self.base(x) + x @ self.a.T @ self.b.T

    def of_zeros(in_features, out_features):
        return LoRA(in_features, out_features, drawn=False)

    assert {part.weight for part in subject_of(LoRA).medium} == {"base.weight", "a"}
    assert {part.weight for part in subject_of(of_zeros).medium} == {"base.weight", "a", "b"}


def linear_filled(fill):
    def build(in_features, out_features):
        layer = nn.Linear(in_features, out_features, bias=False)
        fill(layer.weight, in_features**-0.5)
        return layer

    return build


@pytest.mark.parametrize(
    ("fill", "sentence", "fix"),
    [
        (
            lambda w, s: nn.init.normal_(w, std=s * s),
            "variance is (1/fan_in)^2: the square root is missing",
            "std = 1/",
        ),
        (
            lambda w, s: nn.init.trunc_normal_(w, std=s, a=-2 * s, b=2 * s),
            "variance is 0.774/fan_in: a normal truncated at 2 sigma, without correction",
            "by 0.8796",
        ),
        (lambda w, s: nn.init.normal_(w, std=3**0.5 * s), "variance is 3/fan_in: the bound of a uniform", "std = 1/"),
        (
            lambda w, s: nn.init.xavier_normal_(w),
            "variance is 1/fan_avg: that of Glorot, where the inputs",
            "divide by",
        ),
        (
            lambda w, s: nn.init.xavier_uniform_(w, gain=0.1**0.5),
            "variance is 0.1/fan_avg: 0.1 times what Glorot draws",
            "scale it to 1/fan_avg",
        ),
        # What fans or a usual default explain is said as before.
        (
            lambda w, s: nn.init.uniform_(w, -s, s),
            "variance is 0.333/fan_in: a uniform on +-1/sqrt(fan_in), PyTorch",
            "",
        ),
        (lambda w, s: nn.init.normal_(w, std=2**0.5 * s), "variance is 2/fan_in: the gain of relu (He)", "declare"),
    ],
)
def test_of_a_plain_weight_the_factor_is_named_as_of_an_initializer(fill, sentence, fix):
    cause = cause_of(linear_filled(fill), most=64)
    assert cause.sentence.startswith(sentence)
    assert fix in cause.fix


def test_of_a_pointwise_convolution_a_missing_root_is_no_fan_of_another_layout():
    def build(c, root):
        layer = nn.Conv1d(c, c, 1, bias=False)
        nn.init.normal_(layer.weight, std=(2**0.5 / c**0.5) if root else 1 / c)
        return layer

    cause = cause_of(lambda c: build(c, False), most=64)
    assert cause.sentence == "variance is (1/fan_in)^2: the square root is missing"
    assert cause.fix.startswith("std = 1/sqrt(fan_in)")
    assert cause_of(lambda c: build(c, True), most=64).sentence.startswith("variance is 2/fan_in: the gain of relu")


def test_an_initializer_that_is_set_on_a_built_layer_of_keras_is_said_to_draw_nothing():
    keras = pytest.importorskip("keras")

    def late(fan_in, fan_out):
        layer = keras.layers.Dense(fan_out)
        layer.build((None, fan_in))
        layer.kernel_initializer = keras.initializers.HeNormal()
        return layer

    cause = cause_of(late, most=64)
    assert cause.sentence.startswith("variance is 1/fan_avg: that of Glorot, where the inputs alone are due")
    assert cause.fix == "give the initializer to the constructor: set on a layer that is built already it draws nothing"


class ExpertsOfOneDraw(Experts):
    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)
        self.weight.data.copy_((torch.randn(out_features, in_features) * in_features**-0.5).expand(4, -1, -1))


def test_matrices_of_a_stack_that_are_one_and_the_same_are_named_by_their_axis():
    cause = cause_of(ExpertsOfOneDraw, "entries-are-independent", most=64)
    assert cause.sentence.startswith("the 4 slices along axis 0 of weight (4, ")
    assert "split the key" in cause.fix
    own = cause_of(Experts, "entries-are-independent", most=64)
    assert own is None or "slices along axis" not in own.sentence
