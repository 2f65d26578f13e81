"""What released libraries do on purpose, in small models written anew: none of it fails, and what is beside it does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

import initcheck
from initcheck.models.batches.inputs import candidates
from initcheck.report.report import Report
from initcheck.report.verdict import Verdict

REBUILD, DECLARED = "rebuilds-the-same", "declared-laws-are-in-force"


def _said(report: Report, claim: str) -> str:
    evidence = report[claim].evidence
    return "\n".join([str(evidence.case), *evidence.detail]) if evidence is not None else ""


class Tied(nn.Module):
    """The head's own initialisation is thrown away by the tie; a second ``init_weights`` finds the tie made."""

    def __init__(self, tie: bool = True, padding: int | None = None, later: float = 1.0) -> None:
        super().__init__()
        self.table, self.inner = nn.Embedding(40, 24, padding), nn.Linear(24, 24)
        self.head, self.calls, self.later = nn.Linear(24, 40, bias=False), 0, later
        self.init_weights()
        if tie:
            self.head.weight = self.table.weight

    def init_weights(self) -> None:
        self.calls += 1
        nn.init.normal_(self.table.weight, std=0.02)
        nn.init.normal_(self.inner.weight, std=0.02 * (self.later if self.calls > 1 else 1.0))
        nn.init.normal_(self.head.weight, std=0.005)

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.inner(self.table(ids)))


def test_a_tied_matrix_has_two_rules_and_a_second_call_may_follow_the_other() -> None:
    report = initcheck.check_model(Tied, claims=[REBUILD])
    assert report[REBUILD].verdict is Verdict.HOLDS
    assert "table.weight: root mean square moves x0.24" in "\n".join(report[REBUILD].notes)


def test_what_is_not_tied_must_keep_its_law_beside_a_tie() -> None:
    report = initcheck.check_model(lambda: Tied(later=3.0), claims=[REBUILD])
    assert "inner.weight: root mean square moves x" in _said(report, REBUILD)
    assert "table.weight" not in _said(report, REBUILD)


def test_a_drawn_padding_row_is_moved_by_a_tied_head_alone() -> None:
    assert "only the gradient of head, tied to it, moves it" in _said(
        initcheck.check_model(lambda: Tied(padding=0), claims=[DECLARED]), DECLARED
    )
    assert "no gradient ever moves it" in _said(
        initcheck.check_model(lambda: Tied(tie=False, padding=0), claims=[DECLARED]), DECLARED
    )


class OneChannel(nn.Module):
    """The last bias is one number, drawn anew by every initialisation."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.last, self.calls, self.factor = nn.Conv1d(8, 1, 3), 0, factor
        self.init_weights()

    def init_weights(self) -> None:
        self.calls += 1
        nn.init.normal_(self.last.weight, std=0.2)
        nn.init.uniform_(self.last.bias, -0.2, 0.2)
        if self.calls > 1:
            self.last.weight.data.mul_(self.factor)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(x)


def test_one_drawn_number_is_no_constant_that_moved() -> None:
    assert initcheck.check_model(OneChannel, claims=[REBUILD])[REBUILD].verdict is Verdict.HOLDS


def test_a_constant_of_one_number_that_moves_fails() -> None:
    class Gate(OneChannel):
        def init_weights(self) -> None:
            super().init_weights()
            nn.init.constant_(self.last.bias, 0.1 * self.calls)

    assert "last.bias: root mean square moves x2" in _said(initcheck.check_model(Gate, claims=[REBUILD]), REBUILD)


class Fused(nn.Module):
    """Query, key and value in one matrix."""

    def __init__(self, parts: bool = False) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(32, 96), nn.Linear(32, 32)
        nn.init.xavier_uniform_(self.proj.weight)
        for weight in self.qkv.weight.data.chunk(3) if parts else [self.qkv.weight]:
            nn.init.xavier_uniform_(weight)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).chunk(3, -1)
        return self.proj(nn.functional.scaled_dot_product_attention(q, k, v))


def test_xavier_on_three_matrices_in_one_is_a_doubt_and_on_each_is_none() -> None:
    said = initcheck.check_model(Fused, batch="2x5x32", claims=[DECLARED])[DECLARED]
    assert said.verdict is Verdict.UNDECIDED
    assert "qkv.weight: Xavier's std for 96 outputs, 0.125, where it holds 3 matrices of 32: 0.707 times" in said.reason
    for sound in (lambda: Fused(parts=True), lambda: nn.Sequential(nn.Linear(32, 96), nn.Linear(96, 32))):
        found = initcheck.check_model(sound, batch="2x5x32", claims=[DECLARED])[DECLARED]
        assert found.verdict is Verdict.NOT_APPLICABLE
    by_torch = initcheck.check_model(lambda: nn.MultiheadAttention(32, 4), claims=[DECLARED])[DECLARED]
    assert by_torch.verdict is Verdict.NOT_APPLICABLE
    assert "holds 3 matrices of 32" in by_torch.notes[0]
    declared = initcheck.check_model(Fused, laws={"qkv.weight": "0.125"}, claims=[DECLARED])
    assert declared[DECLARED].verdict is Verdict.HOLDS


class Positions(nn.Module):
    """A layer whose every row is set by hand after its class had drawn it, as in the gated attention of ConViT."""

    def __init__(self, rows: int = 4, kept: int = 0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(5, 4) for _ in range(4))
        with torch.no_grad():
            for layer in self.layers:
                for i in range(rows):
                    layer.weight[i] = torch.arange(5.0) - i
                if kept:
                    layer.weight.copy_(torch.randn(4, 5, generator=torch.Generator().manual_seed(3)))

    def forward(self, x: Tensor) -> Tensor:
        return sum(layer(x) for layer in self.layers)


def test_a_draw_of_which_nothing_is_left_is_no_chance() -> None:
    claims = ["tensors-are-distinct", REBUILD]
    assert not initcheck.check_model(Positions, batch="8x5", claims=claims).failures
    drawn = initcheck.check_model(lambda: Positions(kept=1), batch="8x5", claims=claims)
    assert "are equal bit for bit" in _said(drawn, "tensors-are-distinct")
    assert "the same bits at another seed" in _said(drawn, REBUILD)


class Relations(nn.Module):
    """A layer of a graph whose edges have a kind, which its signature leaves open."""

    def __init__(self) -> None:
        super().__init__()
        self.in_channels, self.num_relations = 6, 3
        self.weight = nn.Parameter(torch.randn(3, 6, 5))

    def forward(self, x: Tensor, edge_index: Tensor, edge_type: Tensor | None = None) -> Tensor:
        assert edge_type is not None
        sent = torch.einsum("ec,ecd->ed", x[edge_index[0]], self.weight[edge_type])
        return x.new_zeros(len(x), 5).index_add(0, edge_index[1], sent)


class FirstState(nn.Module):
    """A layer of a graph that is given its first features beside those of the layer before."""

    def __init__(self) -> None:
        super().__init__()
        self.channels, self.weight = 7, nn.Parameter(torch.randn(7, 7))

    def forward(self, x: Tensor, x_0: Tensor, edge_index: Tensor) -> Tensor:
        return (x_0 + x.index_add(0, edge_index[1], x[edge_index[0]])) @ self.weight


@pytest.mark.parametrize(
    "model",
    [Relations, FirstState, lambda: nn.EmbeddingBag(9, 4), lambda: nn.BatchNorm2d(3), lambda: nn.GroupNorm(2, 8)],
)
def test_a_batch_is_found_for(model: Callable[[], nn.Module]) -> None:
    built = model().eval()
    for batch in candidates(built):
        with contextlib.suppress(RuntimeError, ValueError, IndexError, TypeError, AssertionError):
            batch.run(built)
            return
    pytest.fail("no candidate goes through")


class Windows(nn.Module):
    """A bias for windows of so many tokens, and a branch behind two zeros."""

    def __init__(self, window: int, gated: bool = False) -> None:
        super().__init__()
        self.window, self.inner, self.head = window, nn.Linear(12, 12), nn.Linear(12, 5)
        self.bias = nn.Parameter(torch.zeros(window, 12))
        self.gate = nn.Parameter(torch.zeros(12)) if gated else None

    def forward(self, x: Tensor) -> Tensor:
        cut = x[:, : x.shape[1] // self.window * self.window]
        windows = cut.reshape(len(x), -1, self.window, 12) + self.bias
        bias = windows.softmax(2).sum((1, 2)) if self.gate is None else self.gate * self.bias.sum(0)
        return self.head(self.inner(x).mean(1) + bias)


def test_what_the_batch_does_not_reach_is_not_dead() -> None:
    claim = "tensors-are-distinct"
    long = initcheck.check_model(lambda: Windows(64), batch="2x16x12", claims=[claim])[claim]
    assert long.verdict is Verdict.HOLDS
    assert long.notes == ("constant, and not used by this batch, whatever their values: bias",)
    dead = initcheck.check_model(lambda: Windows(4, gated=True), batch="2x16x12", claims=[claim])
    assert "bias: constant, and its gradient is zero" in _said(dead, claim)


class Composite(nn.Module):
    """Two towers, each by the number of its own config; the number of the whole is a default."""

    def __init__(self, own: tuple[float, float], whole: float = 0.02) -> None:
        super().__init__()
        self.config = SimpleNamespace(initializer_range=whole)
        self.towers = nn.ModuleList()
        for name, std in zip(("text_config", "vision_config"), own, strict=True):
            setattr(self.config, name, SimpleNamespace(initializer_range=std))
            self.towers.append(nn.Linear(24, 24))
            nn.init.normal_(self.towers[-1].weight, std=std)

    def forward(self, x: Tensor) -> Tensor:
        return self.towers[0](x) + self.towers[1](x)


def test_the_parts_of_a_composite_model_follow_their_own_configs() -> None:
    report = initcheck.check_model(lambda: Composite((0.05, 0.1)), claims=[DECLARED])
    assert report[DECLARED].verdict is not Verdict.FAILS


def test_a_number_that_nothing_follows_fails_where_all_configs_say_it() -> None:
    def ignored() -> nn.Module:
        model = Composite((0.02, 0.02))
        for tower in model.towers:
            nn.init.normal_(tower.weight, std=0.3)
        return model

    assert "in force in 0 of" in _said(initcheck.check_model(ignored, claims=[DECLARED]), DECLARED)


class Scale(nn.Module):
    """A gate in a module of its own, as LayerScale is."""

    def __init__(self, size: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((12,), size))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class ClassToken(nn.Module):
    """A token of its own reads the others, through gates alone."""

    def __init__(self, gate: float, norm: float = 1.0, drowned: float = 1.0) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.randn(1, 1, 12))
        self.places = nn.Parameter(drowned * torch.randn(1, 17, 12))
        self.mixes = nn.ModuleList(nn.Sequential(nn.Linear(12, 12), Scale(gate)) for _ in range(3))
        self.norm, self.head = nn.LayerNorm(12), nn.Linear(12, 5)
        nn.init.constant_(self.norm.weight, norm)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([self.token.expand(len(x), 1, 12), x], 1) + self.places
        for mix in self.mixes:
            x = x + mix(x.softmax(1) * x + x.mean(1, keepdim=True))
        return self.head(self.norm(x)[:, 0])


@pytest.mark.parametrize("gate", [0.0, 1e-4])
def test_gates_that_are_nearly_shut_hold_an_input_back_by_design(gate: float) -> None:
    claim = "input-reaches-the-output"
    given = initcheck.check_model(lambda: ClassToken(gate), batch="4x16x12", claims=[claim])[claim]
    assert (given.verdict, "mixes.0.1.gamma" in str(given.reason)) == (Verdict.NOT_APPLICABLE, True)


def test_small_constants_before_a_dead_relu_are_no_gates() -> None:
    def build() -> nn.Module:
        first = nn.Linear(12, 32)
        nn.init.normal_(first.weight, std=1e-3)
        nn.init.constant_(first.bias, -0.05)  # no gradient ever moves it
        return nn.Sequential(first, nn.ReLU(), nn.Linear(32, 5))

    claim = "input-reaches-the-output"
    assert initcheck.check_model(build, batch="8x12", claims=[claim])[claim].verdict is Verdict.FAILS


@pytest.mark.parametrize("wrong", [{"gate": 1.0, "norm": 0.0}, {"gate": 1.0, "drowned": 3e3}], ids=str)
def test_what_no_gate_holds_back_is_lost(wrong: dict[str, float]) -> None:
    claim = "input-reaches-the-output"
    given = initcheck.check_model(lambda: ClassToken(**wrong), batch="4x16x12", claims=[claim])[claim]
    assert given.verdict is Verdict.FAILS


class PowerIterated(nn.Module):
    """Layers of the user's spectral norm: a vector of each is drawn, and divided by its own norm."""

    def __init__(self, wide: float = 1.0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(32, 32) for _ in range(4))
        for number, layer in enumerate(self.layers):
            drawn = torch.randn(32)
            drawn /= drawn.norm()
            layer.u = nn.Parameter(drawn * (wide if number == 2 else 1.0), requires_grad=False)
            drawn = torch.randn(32)
            layer.v = nn.Parameter(drawn / (drawn.norm() + 1e-12), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = x + torch.relu(layer(x))
        return x


@pytest.mark.parametrize(("wide", "verdict"), [(1.0, Verdict.HOLDS), (3.0, Verdict.FAILS)])
def test_vectors_that_are_divided_by_their_own_norms_have_one_law(wide: float, verdict: Verdict) -> None:
    claim = "siblings-share-one-law"
    found = initcheck.check_model(lambda: PowerIterated(wide), claims=[claim])[claim]
    assert found.verdict is verdict
