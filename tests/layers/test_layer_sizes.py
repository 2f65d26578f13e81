"""Sizes by the names of a constructor's parameters, and the targets that are layers."""

import subprocess
import sys

import numpy as np
import pytest
from strangers_convolutions import Causal, Convolution, Depthwise
from torch import nn

import initcheck
from initcheck.adapters.signatures.constructor import roles_of
from initcheck.errors import UsageError
from initcheck.layers.bench.sizes import sizes_of
from initcheck.layers.recognition import layer_initializer
from initcheck.report.verdict import Verdict
from initcheck.starts.layer import laws_of_layer
from initcheck.targets.loading import load


def test_torch_recurrent_layers_hide_their_parameters_in_a_base_class():
    roles, unknown = roles_of(nn.LSTM, "torch")
    assert roles["in"] == "input_size"
    assert roles["hidden"] == "hidden_size"
    assert unknown == ()


@pytest.mark.parametrize("cls", [nn.TransformerEncoder, nn.Conv2d])
def test_a_required_parameter_that_is_no_width_is_named(cls):
    fixed = {"out_channels": 4} if cls is nn.Conv2d else {}
    if cls is nn.Conv2d:
        assert "out" not in roles_of(cls, "torch", fixed)[0]
    else:
        with pytest.raises(UsageError, match=r"encoder_layer.*must be given.*pass a function of \(fan_in, fan_out\)"):
            sizes_of(cls, "torch", "TransformerEncoder", {})


def test_a_rectangle_is_built_both_ways_and_grouped_and_strided():
    sizes = sizes_of(nn.ConvTranspose2d, "torch", "c", {})
    widths = [(s.inputs, s.outputs, s.stride, dict(s.arguments).get("groups", 1)) for s in sizes]
    for wanted in [(32, 8, 1, 1), (8, 32, 1, 1), (32, 8, 2, 1), (8, 32, 2, 4), (16, 32, 1, 16)]:
        assert wanted in widths


def test_a_convolution_that_must_be_given_a_stride_gets_one():
    class Strided(nn.Conv2d):
        def __init__(self, in_channels, out_channels, kernel_size, stride):
            super().__init__(in_channels, out_channels, kernel_size, stride)

    assert {dict(s.arguments)["stride"] for s in sizes_of(Strided, "torch", "s", {})} == {1}
    assert initcheck.check(Strided, claims=["units-differ"]).ok


def test_no_width_of_the_probe_is_a_multiple_of_another():
    probe = sizes_of(nn.TransformerEncoderLayer, "torch", "t", {})[0]
    widths = sorted({v for n, v in probe.arguments if n != "nhead"} | {probe.inputs})
    assert probe.probe
    assert all(b % a for a in widths for b in widths if b > a)


def test_an_unknown_argument_of_a_layer_names_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'padding'"):
        load(nn.Conv2d, args={"pading": 1})


def test_functions_that_build_no_layer_are_left_to_the_other_readings():
    def he(fan_in, fan_out):
        return np.random.standard_normal((fan_in, fan_out)) * (2 / fan_in) ** 0.5

    def init(module):
        nn.init.kaiming_normal_(module.weight)

    assert layer_initializer(he, "he", {}) is None
    assert layer_initializer(init, "init", {}) is None
    assert "layer" not in load(he).initializers[0].signature


def test_a_factory_of_one_width_is_built_at_squares():
    def encoder(width):
        return nn.TransformerEncoderLayer(width, 4, 37)

    made = layer_initializer(encoder, "encoder", {})
    assert {(s.inputs, s.outputs) for s in made.sampler.sizes} == {(20, 20), (16, 16), (32, 32), (64, 64)}


def test_layers_load_without_any_framework():
    code = (
        "import sys, initcheck.layers, initcheck.engine.checker;"
        "assert not {'torch', 'jax', 'flax', 'keras', 'equinox'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("width", "head"), [("d_model", "d_head"), ("width", "head_width"), ("model_dim", "dim_head")])
def test_the_width_of_one_head_is_a_quarter_of_that_of_the_layer(width, head):
    made = type("Made", (), {})
    exec(f"def init(self, {width}, {head}): ...\nmade.__init__ = init", {"made": made})
    for size in sizes_of(made, "torch", "it", {}):
        assert dict(size.arguments) == {width: size.inputs, head: size.inputs // 4}


@pytest.mark.parametrize("cls", [Convolution, Depthwise, Causal])
def test_a_convolution_of_a_strangers_is_built_and_run_from_its_widths(cls):
    claim = "accepts-every-shape"
    report = initcheck.check(cls, profile="quick", claims=[claim])
    assert report[claim].verdict is Verdict.HOLDS


def test_a_kernel_is_a_number_or_one_for_each_side_as_its_parameter_says():
    class Sides(nn.Module):
        def __init__(self, in_channels, out_channels, kernel_size=(3, 3, 3)):
            super().__init__()

    class Annotated(nn.Module):
        def __init__(self, in_channels, out_channels, kernel_size: tuple[int, int]):
            super().__init__()

    def kernels(cls, kind="torch"):
        return {dict(size.arguments)["kernel_size"] for size in sizes_of(cls, kind, "it", {})}

    assert kernels(Convolution) == {3}
    assert kernels(Sides) == {(3, 3, 3)}
    assert kernels(Annotated) == {(3, 3)}
    assert kernels(nn.Conv2d) == {3}


class Grouped:
    """Keras' and linen's own are built like this."""

    def __init__(self, num_groups=32, epsilon=1e-3): ...


@pytest.mark.parametrize(("fixed", "widths"), [({}, [160, 32, 64]), ({"num_groups": 4}, [20, 16, 32, 64])])
def test_what_its_input_alone_makes_wide_is_fed_widths_that_its_groups_divide(fixed, widths):
    sizes = sizes_of(Grouped, "keras", "it", fixed)
    assert [s.inputs for s in sizes] == widths
    assert [s.probe for s in sizes] == [True] + [False] * (len(widths) - 1)


@pytest.mark.parametrize("name", ["keras.layers:GroupNormalization", "flax.linen:GroupNorm"])
def test_a_normalization_by_groups_is_built_with_as_many_as_are_its_default(name):
    library, _, layer = name.partition(":")
    home = pytest.importorskip(library)
    made = layer_initializer(getattr(home, layer), name, {})
    laws = {law.text for law in laws_of_layer(made.sampler, measured=False)}
    assert laws == {"zero", "one"}
