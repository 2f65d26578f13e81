"""A block is what its code is, not what its class is called; one row in all of a table is asked about."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import initcheck
from initcheck.models.signals.chains import containers
from initcheck.report.verdict import Result, Verdict

SIGNAL, GRADIENT = "signal-survives-the-blocks", "gradient-survives-the-blocks"
DISTINCT = "tensors-are-distinct"


class GRU(nn.Module):
    """A gated residual unit, which is no recurrent layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(torch.relu(self.up(x)))


class RNN(GRU):
    """Another one, and nothing passes it by."""

    def forward(self, x: Tensor) -> Tensor:
        return self.down(torch.relu(self.up(x)))


class LSTM(nn.Module):
    """A recurrent layer by hand: its gates make it small."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gates = nn.Linear(2 * width, 2 * width)

    def forward(self, x: Tensor) -> Tensor:
        made, h = [], torch.zeros_like(x[:, 0])
        for t in range(x.shape[1]):
            gate, new = self.gates(torch.cat([x[:, t], h], -1)).chunk(2, -1)
            h = torch.sigmoid(gate) * h + torch.sigmoid(-gate) * torch.tanh(new)
            made.append(h)
        return torch.stack(made, 1)


class ConvLSTM(LSTM):
    """One whose gates stand in a step of its own."""

    def _step(self, x: Tensor, h: Tensor) -> Tensor:
        gate, new = self.gates(torch.cat([x, h], -1)).chunk(2, -1)
        return torch.sigmoid(gate) * h + torch.sigmoid(-gate) * torch.tanh(new)

    def forward(self, x: Tensor) -> Tensor:
        made, h = [], torch.zeros_like(x[:, 0])
        for t in range(x.shape[1]):
            h = self._step(x[:, t], h)
            made.append(h)
        return torch.stack(made, 1)


class ConvGRU(ConvLSTM):
    """One whose base has the step."""

    def forward(self, x: Tensor) -> Tensor:
        return self._step(x, torch.zeros_like(x))


class Stack(nn.Module):
    """Eight blocks of one class between two layers."""

    def __init__(self, kind: Callable[[int], nn.Module], std: float | None = None) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(16, 32), nn.Linear(32, 4)
        self.blocks = nn.ModuleList(kind(32) for _ in range(8))
        for name, parameter in self.blocks.named_parameters():
            if std is not None and name.endswith("weight"):
                nn.init.normal_(parameter, 0.0, std)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return self.last(x)


def said(build: Callable[[], nn.Module], claim: str, batch: str | None = None) -> Result:
    (result,) = [r for r in initcheck.check_model(build, batch=batch) if r.claim == claim]
    return result


@pytest.mark.parametrize(
    ("kind", "verdict"), [(GRU, Verdict.HOLDS), (RNN, Verdict.FAILS), (LSTM, Verdict.NOT_APPLICABLE)]
)
def test_a_class_of_the_users_own_is_a_block_where_its_code_shows_no_gate(
    kind: Callable[[int], nn.Module], verdict: Verdict
) -> None:
    std = 0.02 if kind is RNN else None
    assert said(lambda: Stack(kind, std), GRADIENT, "4x6x16" if kind is LSTM else None).verdict is verdict


def test_recurrent_layers_of_libraries_are_no_blocks() -> None:
    for kind in (nn.GRU, nn.LSTMCell, "OptimizedLSTMCell", "Bidirectional", nn.LayerNorm):
        assert not containers([(("h", str(i)), kind) for i in range(4)])


def test_a_gate_may_stand_in_a_step_of_its_own_or_of_a_base() -> None:
    assert not any(containers([(("h", str(i)), kind) for i in range(4)]) for kind in (LSTM, ConvLSTM, ConvGRU))
    assert containers([(("h", str(i)), RNN) for i in range(4)])


class Placed(nn.Module):
    """Positions that are added to tokens."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.embed, self.table = nn.Embedding(40, 16), nn.Parameter(table)
        self.body, self.head = nn.Linear(16, 16), nn.Linear(16, 40)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(torch.relu(self.body(self.embed(tokens) + self.table[: tokens.shape[1]])))


@pytest.mark.parametrize(
    ("table", "verdict"),
    [
        (lambda: torch.randn(1, 16).repeat(16, 1), Verdict.UNDECIDED),
        (lambda: torch.randn(16, 16), Verdict.HOLDS),
        (lambda: torch.randn(8, 16).repeat(2, 1), Verdict.HOLDS),
    ],
)
def test_one_row_in_all_of_a_table_is_asked_about(table: Callable[[], Tensor], verdict: Verdict) -> None:
    found = said(lambda: Placed(table()), DISTINCT)
    assert found.verdict is verdict
    words = "table: all 16 rows are one, which was drawn once"
    assert (words in (found.reason or "")) == (verdict is not Verdict.HOLDS)


class ByHand(nn.Module):
    """Layers that are parameters: in a list, each transposed, or by numbered names."""

    def __init__(self, std: float, how: str = "list") -> None:
        super().__init__()
        self.how, self.first, self.last = how, nn.Linear(16, 64), nn.Linear(64, 4)
        made = [nn.Parameter(std * torch.randn(64, 64)) for _ in range(8)]
        if how == "names":
            for i, matrix in enumerate(made):
                self.register_parameter(f"w{i}", matrix)
        else:
            self.ws = nn.ParameterList(made)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        for i in range(8):
            w = self.get_parameter(f"w{i}") if self.how == "names" else self.ws[i]
            x = torch.relu(nn.functional.linear(x, w) if self.how == "linear" else x @ w.T)
        return self.last(x)


@pytest.mark.parametrize("how", ["list", "names", "linear"])
def test_matrices_that_a_model_multiplies_by_itself_are_blocks(how: str) -> None:
    assert said(lambda: ByHand((2 / 64) ** 0.5, how), SIGNAL).verdict is Verdict.HOLDS
    wrong = said(lambda: ByHand(2 / 64, how), SIGNAL)
    assert wrong.verdict is Verdict.FAILS
    assert "sqrt(2/fan_in) = 0.177" in str(wrong.evidence.fix)


def test_a_layer_under_a_digit_that_is_no_number_is_read() -> None:
    """``"²".isdigit()`` holds, and it is no number."""

    class Powers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.of = nn.ModuleDict({"¹": nn.Linear(8, 4), "²": nn.Linear(8, 4)})

        def forward(self, x: Tensor) -> Tensor:
            return self.of["¹"](x) + self.of["²"](x * x)

    assert said(Powers, DISTINCT).verdict is Verdict.HOLDS


def test_parallel_matrices_are_no_chain() -> None:
    """The same matrices, each given the same input: nothing grows from one to the next."""

    class Parallel(ByHand):
        def forward(self, x: Tensor) -> Tensor:
            x = torch.relu(self.first(x))
            return self.last(torch.stack([x @ w for w in self.ws]).sum(0))

    assert said(lambda: Parallel(2 / 64), SIGNAL).verdict is Verdict.NOT_APPLICABLE
