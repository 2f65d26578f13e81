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


WHOLE = """
import torch
from torch import nn


class Layer(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.inner, self.plain = nn.Linear(in_features, out_features), nn.Linear(out_features, out_features)
        nn.init.normal_(self.inner.weight, std=0.02)

    def forward(self, x):
        return self.plain(self.inner(x))


class Net(nn.Module):
    def __init__(self, d=16):
        super().__init__()
        self.blocks = nn.ModuleList(Layer(d, d) for _ in range(3))

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


class Norm(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return x * self.weight
"""


def test_what_was_written_over_is_told_by_the_line_that_wrote_last(tmp_path, monkeypatch) -> None:
    pytest.importorskip("torch")
    (tmp_path / "written_over.py").write_text(WHOLE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    layer, net, norm = (initcheck.what(f"written_over:{name}")[0] for name in ("Layer", "Net", "Norm"))
    of_layer = {law.name: law.source for law in layer.parameters}
    assert of_layer["inner.weight"] == "written_over.py:10  nn.init.normal_(self.inner.weight, std=0.02)"
    # What stays as its own class left it is told by the source of that class.
    assert all("torch/nn/modules/linear.py:" in of_layer[n] for n in ("inner.bias", "plain.weight", "plain.bias"))
    assert (layer.kind, net.kind, norm.kind) == ("layer", "model", "layer")
    of_net = {law.name: law.source for law in net.parameters}
    assert set(of_net) == {f"blocks.*.{n}.{p}" for n in ("inner", "plain") for p in ("weight", "bias")}
    assert of_net["blocks.*.inner.weight"] == "written_over.py:10  nn.init.normal_(self.inner.weight, std=0.02)"
    assert of_net["blocks.*.plain.weight"].startswith("written_over.py:9  self.inner, self.plain = nn.Linear(")
    assert "torch.ones(dim)" in norm.parameters[0].source


@pytest.mark.long
def test_infer_says_the_same_of_a_layer(capsys) -> None:
    pytest.importorskip("torch")
    assert main(["infer", "torch.nn.Linear"]) == 0
    said = capsys.readouterr().out
    assert "a layer, judged by what it does; its parameters start from:" in said
    assert "law       uniform +-1/sqrt(fan_in): variance 1/(3 fan_in)" in said
