"""A fan by the wrong axis, ones in a wrong gate, zero scales, loud biases: open, by name; their kin is sound."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import initcheck
from initcheck.report.verdict import Verdict

CLAIM = "declared-laws-are-in-force"
WIDTHS = (64, 32, 16, 8)


def _said(build: Callable[..., Any], batch: str | None = None) -> str:
    result = initcheck.check_model(build, claims=[CLAIM], batch=batch)[CLAIM]
    assert result.verdict in (Verdict.UNDECIDED, Verdict.NOT_APPLICABLE, Verdict.HOLDS)
    return str(result.reason) if result.verdict is Verdict.UNDECIDED else ""


class Right(nn.Module):
    """x @ w: the rows of its weight are inputs."""

    def __init__(self, inputs: int, outputs: int, mode: str) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(inputs, outputs)), nn.Parameter(torch.zeros(outputs))
        if mode == "fan_in":
            nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        else:
            nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


@pytest.mark.parametrize(("mode", "words"), [("fan_in", "the variance 2/fan_out, as of"), ("fan_out", "")])
def test_torchs_fan_in_of_a_weight_on_the_right_is_its_outputs(mode: str, words: str) -> None:
    said = _said(lambda: nn.Sequential(*(Right(i, o, mode) for i, o in pairwise(WIDTHS))), "4x64")
    assert words in said
    assert bool(said) is bool(words)


class Graph(Right):
    """The layer of pygcn: the bound of torch's layers, by an axis of a weight that is multiplied from the right."""

    def __init__(self, inputs: int, outputs: int, axis: int) -> None:
        super().__init__(inputs, outputs, "fan_in")
        self.axis = axis
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = self.weight.size(self.axis) ** -0.5
        self.weight.data.uniform_(-bound, bound)


@pytest.mark.parametrize(("axis", "named"), [(1, "within 1/sqrt(fan_out), as of"), (0, "")])
def test_the_bound_of_torchs_layers_by_the_outputs_of_a_weight_on_the_right(axis: int, named: str) -> None:
    said = _said(lambda: nn.Sequential(*(Graph(i, o, axis) for i, o in pairwise(WIDTHS))), "4x64")
    assert named in said
    assert bool(said) is bool(named)


@pytest.mark.parametrize("axis", [0, 1])
def test_the_formula_of_a_law_counts_the_inputs_of_a_weight_on_the_right(axis: int) -> None:
    report = initcheck.check_model(lambda: Graph(64, 16, axis), batch="4x64", claims=[CLAIM], name="net")
    formulas = {r["path"]: r["formula"] for r in report.contracts["net"]["roles"]}
    assert formulas["weight"] == (None if axis else "1/sqrt(fan_in)")


class Adapted(nn.Module):
    """A square layer beside an adapter, whose first matrix has as many inputs as the layer has biases (LoRA)."""

    def __init__(self, width: int, rank: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.eye(width)), nn.Parameter(torch.zeros(width))
        self.down, self.up = nn.Parameter(torch.empty(rank, width)), nn.Parameter(torch.zeros(width, rank))
        nn.init.kaiming_uniform_(self.down, a=5**0.5)

    def forward(self, x: Tensor) -> Tensor:
        return x @ (self.weight + self.up @ self.down).T + self.bias


class Rebuilt(nn.Module):
    """A machine that gives its inputs back: a bias for each side (RBM)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.empty(hidden, width))
        self.b, self.c = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.zeros(hidden))
        nn.init.kaiming_normal_(self.W)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x @ self.W.T + self.c) @ self.W + self.b


class NormedAhead(nn.Module):
    """The bias is the norm's, whose scale stands beside it."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.scale, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.weight = nn.Parameter(torch.empty(hidden, width))
        nn.init.kaiming_normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.layer_norm(x, x.shape[-1:], self.scale, self.bias) @ self.weight.T


@pytest.mark.parametrize("kind", [Adapted, Rebuilt, NormedAhead])
def test_a_bias_that_belongs_to_something_else_tells_no_axes(kind: Callable[[int, int], nn.Module]) -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.between, self.two = kind(32, 8), nn.LazyLinear(48), kind(48, 6)

        def forward(self, x: Tensor) -> Tensor:
            return self.two(self.between(self.one(x)))

    def build() -> nn.Module:
        model = Two()
        model(torch.zeros(2, 32))
        return model

    assert _said(build, "4x32") == ""


class ByOutputs(Right):
    """A deviation that is computed by the outputs, and says so, a line above."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, "fan_out")
        fan_out = self.weight.shape[1]
        std = (2 / fan_out) ** 0.5
        nn.init.normal_(self.weight, 0, std)


class ByColumns(Right):
    """The same numbers by what torch calls the inputs."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, "fan_out")
        fan_in, _fan_out = nn.init._calculate_fan_in_and_fan_out(self.weight)
        std = (2 / fan_in) ** 0.5
        nn.init.normal_(self.weight, 0, std)


@pytest.mark.parametrize(("kind", "meant"), [(ByOutputs, True), (ByColumns, False)])
def test_a_fan_out_that_is_named_a_line_above_is_meant(kind: Callable[[int, int], nn.Module], meant: bool) -> None:
    said = _said(lambda: nn.Sequential(*(kind(i, o) for i, o in pairwise(WIDTHS))), "4x64")
    assert ("the variance 2/fan_out" in said) is not meant


@pytest.mark.parametrize("axes", [(-2, -1), (-1, -2)], ids=["as they are", "named"])
def test_he_of_jax_takes_the_outputs_of_a_weight_of_equinox_for_inputs(axes: tuple[int, int]) -> None:
    jax = pytest.importorskip("jax")
    eqx = pytest.importorskip("equinox")

    def build(key: Any) -> Any:
        init = jax.nn.initializers.he_normal(*axes)
        made = []
        for (i, o), k in zip(pairwise(WIDTHS), jax.random.split(key, 3), strict=True):
            layer = eqx.nn.Linear(i, o, key=k)
            made.append(eqx.tree_at(lambda m: m.weight, layer, init(jax.random.fold_in(k, 1), (o, i))))
        return eqx.nn.Sequential(made)

    said = _said(build, "64")
    assert ("layers.0.weight, layers.1.weight, layers.2.weight: the variance 2/fan_out" in said) is (axes == (-2, -1))
    assert bool(said) is (axes == (-2, -1))


def test_a_fan_out_of_jax_that_is_asked_for_by_word_is_meant() -> None:
    jax = pytest.importorskip("jax")
    eqx = pytest.importorskip("equinox")

    def build(key: Any) -> Any:
        init = jax.nn.initializers.variance_scaling(2.0, "fan_out", "normal", in_axis=-1, out_axis=-2)
        made = []
        for (i, o), k in zip(pairwise(WIDTHS), jax.random.split(key, 3), strict=True):
            layer = eqx.nn.Linear(i, o, key=k)
            made.append(eqx.tree_at(lambda m: m.weight, layer, init(jax.random.fold_in(k, 1), (o, i))))
        return eqx.nn.Sequential(made)

    assert not _said(build, "64")


def _recurrent(quarter: int, kind: type[nn.RNNBase] = nn.LSTM) -> nn.Module:
    net = kind(8, 6, batch_first=True)
    for name, parameter in net.named_parameters():
        if "bias" in name:
            nn.init.zeros_(parameter)
            parameter.data[quarter * 6 : (quarter + 1) * 6].fill_(1.0)
    return net


@pytest.mark.parametrize(("quarter", "gate"), [(0, "input gate"), (1, ""), (2, "new content"), (3, "output gate")])
def test_ones_in_another_gate_than_the_one_that_forgets_are_asked_about(quarter: int, gate: str) -> None:
    said = _said(lambda: _recurrent(quarter), "2x5x8")
    line = _recurrent.__code__.co_firstlineno + 5
    assert (f"start at 1 (tests/models/test_axes_and_gates.py:{line}), the {gate}" in said) is bool(gate)
    assert bool(said) is bool(gate)


class LSTMCell(nn.Module):
    """A cell by hand, whose gates stand in the order i, o, f, g."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.again = nn.Linear(8, 24, bias=False), nn.Linear(6, 24, bias=False)
        self.bias = nn.Parameter(torch.zeros(24))
        with torch.no_grad():
            self.bias[12:18].fill_(1.0)

    def forward(self, x: Tensor) -> Tensor:
        h = c = x.new_zeros(x.shape[0], 6)
        for at in x.unbind(1):
            i, o, f, g = (self.into(at) + self.again(h) + self.bias).chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        return h


def test_a_cell_by_hand_may_have_its_gates_in_another_order() -> None:
    assert not _said(LSTMCell, "2x5x8")


def test_a_gru_has_other_gates() -> None:
    assert not _said(lambda: _recurrent(0, nn.GRU), "2x5x8")


class Norm(nn.Module):
    """A norm by hand, whose scale is drawn; around 1 in GANs."""

    def __init__(self, around: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(around + 0.02 * torch.randn(32))

    def forward(self, x: Tensor) -> Tensor:
        return x * x.square().mean(-1, keepdim=True).rsqrt() * self.weight


Norm.__name__ = "RMSNorm"


@pytest.mark.parametrize("around", [0.0, 1.0])
def test_a_scale_that_is_drawn_around_zero_is_asked_about(around: float) -> None:
    said = _said(lambda: nn.Sequential(nn.Linear(8, 32), Norm(around), nn.Linear(32, 2)), "4x8")
    assert ("1.weight: the scale of RMSNorm is drawn around 0" in said) is (around == 0.0)
    assert bool(said) is (around == 0.0)


class OneRMSNorm(nn.Module):
    """The norm of Gemma: 1 and its scale."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.02 * torch.randn(32))

    def forward(self, x: Tensor) -> Tensor:
        return x * x.square().mean(-1, keepdim=True).rsqrt() * (1.0 + self.weight.float())


def test_a_scale_beside_one_is_drawn_around_zero() -> None:
    assert not _said(lambda: nn.Sequential(nn.Linear(8, 32), OneRMSNorm(), nn.Linear(32, 2)), "4x8")


@pytest.mark.parametrize(("std", "words"), [(10.0, "0.bias: drawn with std"), (0.5, "")])
def test_a_bias_beside_which_no_input_counts_is_asked_about(std: float, words: str) -> None:
    def build() -> nn.Module:
        net = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 2))
        nn.init.normal_(net[0].bias, std=std)
        return net

    said = _said(build, "4x16")
    assert words in said
    assert bool(said) is bool(words)


def test_the_bias_alone_is_named_beside_which_no_input_counts() -> None:
    def build() -> nn.Module:
        net = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 8), nn.ReLU(), nn.Linear(8, 2))
        nn.init.normal_(net[2].bias, std=10.0)
        return net

    assert _said(build, "4x16").startswith("2.bias: drawn with std")


def test_the_phases_of_random_features_are_no_loud_bias() -> None:
    def build() -> nn.Module:
        net = nn.Sequential(nn.Linear(16, 64), nn.Linear(64, 2))
        nn.init.normal_(net[0].weight, std=0.25)
        nn.init.uniform_(net[0].bias, 0, 6.2832)
        return net

    assert not _said(build, "4x16")


@pytest.mark.parametrize(("high", "asked"), [(6.2832, False), (20.0, True)])
def test_phases_on_the_circle_are_none_beside_small_frequencies_either(high: float, asked: bool) -> None:
    def build() -> nn.Module:
        net = nn.Sequential(nn.Linear(2, 64), nn.Linear(64, 2))
        nn.init.normal_(net[0].weight, std=0.1)
        nn.init.uniform_(net[0].bias, 0, high)
        return net

    assert bool(_said(build, "4x2")) is asked


@pytest.mark.parametrize(("std", "asked"), [(None, False), (0.1, True)])
def test_a_default_beside_a_weight_that_is_small_on_purpose_is_no_loud_bias(std: float | None, asked: bool) -> None:
    def build() -> nn.Module:
        net = nn.Sequential(nn.Linear(16, 64), nn.Tanh(), nn.Linear(64, 4))
        nn.init.orthogonal_(net[2].weight, 0.01)
        if std is not None:
            nn.init.normal_(net[2].bias, 0, std)
        return net

    assert bool(_said(build, "4x16")) is asked


@pytest.mark.parametrize(("kept", "asked"), [(5, True), (36, False), (40, False)])
def test_a_table_of_which_most_rows_are_put_to_zero_is_asked_about(kept: int, asked: bool) -> None:
    """A few rows that pad a vocabulary are none of these."""

    def build() -> nn.Module:
        net = nn.Sequential(nn.Embedding(40, 8), nn.Flatten(), nn.Linear(16 * 8, 2))
        nn.init.normal_(net[0].weight, std=0.1)
        with torch.no_grad():
            net[0].weight[kept:].zero_()
        return net

    assert ("the most of it, are put to zero" in _said(build, "int<40:4x16")) is asked
