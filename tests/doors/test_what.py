"""`initcheck what`: layers of PyTorch against their source, a model, an initializer, and what is refused."""

from __future__ import annotations

import json

import pytest

import initcheck
from initcheck.doors.cli import main
from initcheck.errors import UsageError


def test_an_initializer_is_named_by_its_scheme(capsys) -> None:
    assert main(["what", "initcheck.gallery:he_normal"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("initcheck.gallery:he_normal  an initializer of numpy, 1 parameter\n")
    assert "law       normal, std sqrt(2/fan_in): variance 2/fan_in\n" in said
    assert "called    He (Kaiming) normal\n" in said


@pytest.mark.parametrize(("axis", "layout"), [(0, "in, out"), (1, "out, in")])
def test_where_no_layout_is_declared_the_one_that_a_check_assumes_is_taken(axis: int, layout: str) -> None:
    def he(shape, rng):
        return rng.normal(0, (2 / shape[axis]) ** 0.5, shape)

    [start] = initcheck.what(he)
    assert start.parameters[0].text == "normal, std sqrt(2/fan_in): variance 2/fan_in"
    assert start.parameters[0].example.endswith(f"dense, ({layout}) assumed")
    he.__initcheck__ = {"layout": "out_in"}
    [start] = initcheck.what(he)
    assert f"std sqrt(2/{'fan_out' if axis == 0 else 'fan_in'})" in start.parameters[0].text
    assert "assumed" not in start.parameters[0].example


def test_what_is_nothing_is_refused() -> None:
    with pytest.raises(UsageError):
        initcheck.what("os.path:join")


def test_pytorchs_linear_is_told_to_the_line_of_its_source(capsys) -> None:
    pytest.importorskip("torch")
    assert main(["what", "torch.nn.Linear", "--json", "-"]) == 0
    plain = json.loads(capsys.readouterr().out)
    weight, bias = plain["parameters"]
    assert weight["text"] == bias["text"] == "uniform +-1/sqrt(fan_in): variance 1/(3 fan_in)"
    assert "init.kaiming_uniform_(self.weight, a=math.sqrt(5))" in weight["source"]
    assert weight["source"].startswith("torch/nn/modules/linear.py:")
    assert (weight["fan_in"], weight["constant"], weight["fan"]) == (64, pytest.approx(1 / 3), "fan_in")
    assert weight["beside"].endswith("the same")


def test_packed_and_plain_parameters_of_an_attention_differ() -> None:
    torch = pytest.importorskip("torch")
    [start] = initcheck.what(torch.nn.MultiheadAttention)
    laws = {law.name: law.text for law in start.parameters}
    assert laws == {
        "in_proj_weight": "uniform +-sqrt(1.5/fan_in): variance 1/(2 fan_in)",
        "in_proj_bias": "zero",
        "out_proj.weight": "uniform +-1/sqrt(fan_in): variance 1/(3 fan_in)",
        "out_proj.bias": "zero",
    }


def test_a_normalisation_starts_from_one_and_zero() -> None:
    torch = pytest.importorskip("torch")
    [start] = initcheck.what(torch.nn.LayerNorm)
    assert [(law.name, law.text) for law in start.parameters] == [("weight", "one"), ("bias", "zero")]


def test_a_model_is_told_group_by_group() -> None:
    torch = pytest.importorskip("torch")

    def build() -> object:
        net = torch.nn.Sequential(*[torch.nn.Linear(16, 16) for _ in range(3)])
        torch.nn.init.normal_(net[1].weight, std=0.02)
        return net

    [start] = initcheck.what(build)
    assert start.kind == "model"
    weights = {law.name: (law.text, law.example) for law in start.parameters if law.name.endswith("weight")}
    assert weights == {
        "1.weight": ("normal std 0.02", "1 of this kind"),
        "{0,2}.weight": ("uniform +-0.25, std 1/sqrt(3 fan_in)", "2 of this kind"),
    }


@pytest.mark.long
def test_infer_says_the_same_of_a_layer(capsys) -> None:
    pytest.importorskip("torch")
    assert main(["infer", "torch.nn.Linear"]) == 0
    said = capsys.readouterr().out
    assert "a layer, judged by what it does; its parameters start from:" in said
    assert "law       uniform +-1/sqrt(fan_in): variance 1/(3 fan_in)" in said
