"""Blocks, roles and batches: how the structure of a model is read."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from model_zoo_parts import GPT, VOCABULARY, Llama, LSTMLanguageModel, Mixture, ResNet, ViT, mlp
from torch import Tensor, nn

from initcheck.errors import UsageError
from initcheck.models.batches.batch import Batch
from initcheck.models.batches.inputs import candidates
from initcheck.models.builds.places import places
from initcheck.models.builds.roles import ordered_with_depth, roles
from initcheck.models.builds.torch_build import tensors_of
from initcheck.models.modules.blocks import block_trail
from initcheck.models.modules.live_module import LiveModule
from initcheck.models.modules.residual import residual_writers
from initcheck.models.signals.chains import chains
from initcheck.models.signals.equal_units import gradient_kind
from initcheck.models.signals.listener import Listener


def _runs(model: nn.Module, *args: Tensor) -> list[tuple[str, int]]:
    with torch.no_grad(), block_trail(model.eval()) as visits:
        model(*args)
    return [(run[0].container, len(run)) for run in chains(visits)]


IDS = torch.arange(16).reshape(2, 8)


def test_the_blocks_of_a_transformer_are_its_layers() -> None:
    assert _runs(GPT(layers=5), IDS) == [("h", 5)]
    assert _runs(Llama(layers=5), IDS) == [("layers", 5)]


def test_experts_that_do_not_hand_on_to_one_another_are_no_blocks() -> None:
    assert _runs(GPT(layers=4, mlp=Mixture), IDS) == [("h", 4)]


def test_a_plain_sequential_is_its_own_depth() -> None:
    assert _runs(mlp(6), torch.randn(4, 32)) == [("", 6)]


def test_a_new_shape_is_a_new_baseline() -> None:
    assert _runs(ResNet(depth=4), torch.randn(2, 3, 16, 16)) == [("layer1", 4), ("layer2", 4)]


class _Stages(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Linear(given, width), *[nn.Linear(width, width) for _ in range(4)])
            for given, width in ((8, 16), (16, 32))
        )

    def forward(self, x: Tensor) -> Tensor:
        for stage in self.stages:
            x = stage(x)
        return x


def test_of_stages_that_hold_blocks_the_blocks_count() -> None:
    assert _runs(_Stages(), torch.randn(2, 8)) == [("stages.0", 5), ("stages.1", 5)]


def test_tensors_of_one_role_are_starred_over_their_blocks_only() -> None:
    model = GPT(layers=3)
    found = {r.path: len(r.members) for r in roles(tensors_of(model)[0], places(model))}
    assert found["h.*.mlp.c_fc.weight"] == 3
    assert found["wte.weight"] == 1
    assert "lm_head.weight" not in found  # tied to the embedding


def test_numbers_inside_a_mixed_sequential_of_a_block_are_roles() -> None:
    blocks = nn.ModuleList(nn.Sequential(nn.Linear(4, 4), nn.GELU(), nn.Linear(4, 4)) for _ in range(3))
    paths = {p.path for p in places(nn.ModuleDict({"blocks": blocks})).values()}
    assert {"blocks.*.0.weight", "blocks.*.2.weight"} <= paths


class _Gated(nn.Module):
    """A residual branch whose module has a parameter of its own beside its layers."""

    def __init__(self) -> None:
        super().__init__()
        self.sink = nn.Parameter(torch.zeros(8))
        self.inner, self.out = nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.relu(self.inner(x)) + self.sink)


class _Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.branch = _Gated()

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)


def test_a_writer_inside_a_module_with_parameters_of_its_own_is_seen() -> None:
    found = residual_writers(nn.Sequential(_Residual()).eval(), Batch((torch.randn(2, 8),)), [("0",)])
    assert found == {("0",): ("branch.out",)}


@pytest.mark.parametrize("batch_first", [True, False])
def test_attention_of_torch_writes_by_its_last_matrix(batch_first: bool) -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attn = nn.MultiheadAttention(8, 2, batch_first=batch_first)
            self.norm, self.up, self.down = nn.LayerNorm(8), nn.Linear(8, 16), nn.Linear(16, 8)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = self.norm(x)
            x = x + self.attn(h, h, h, need_weights=False)[0]
            return x + self.down(self.up(x).relu())

    batch = Batch((torch.randn(5, 4, 8),))
    found = residual_writers(nn.Sequential(Block()).eval(), batch, [("0",)])
    assert found[("0",)] == ("attn.out_proj", "down")
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=batch_first, norm_first=True)
    assert residual_writers(nn.Sequential(layer).eval(), batch, [("0",)])[("0",)] == ("self_attn.out_proj", "linear2")


def test_a_law_of_depth_rises_or_falls() -> None:
    assert ordered_with_depth([1 / math.sqrt(i + 1) for i in range(9)], range(9))
    assert ordered_with_depth([1, 1, 1, 2, 2, 2], range(6))
    assert not ordered_with_depth([1, 2, 1, 2, 1, 2], range(6))
    assert not ordered_with_depth([1, 1, 3, 1, 1, 1, 2, 1, 4, 1], range(10))


@pytest.mark.parametrize("model", [GPT(2), Llama(2), ViT(2), ResNet(2), LSTMLanguageModel(), mlp(2)])
def test_a_batch_is_guessed_from_the_model(model: nn.Module) -> None:
    signal = Listener(None).hear(LiveModule(model))
    assert signal.problem is None
    assert signal.batch


def test_the_vocabulary_bounds_the_guessed_tokens() -> None:
    batch = next(iter(candidates(GPT(1))))
    assert int(batch.args[0].max()) < VOCABULARY
    assert batch.text == f"int<{VOCABULARY}:2x16"


def test_where_no_batch_goes_through_the_signal_says_why() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Linear(3, 3)

        def forward(self, graph: Any) -> Tensor:
            return self.a(graph.nodes)

    assert "no batch goes through" in str(Listener(None).hear(LiveModule(Odd())).problem)


@pytest.mark.parametrize(
    ("text", "shapes"),
    [("4x3x8x8", [(4, 3, 8, 8)]), ("int<9:2x16", [(2, 16)]), ("2x8;ones:2x8", [(2, 8), (2, 8)])],
)
def test_a_batch_is_read_from_text(text: str, shapes: list[tuple[int, ...]]) -> None:
    make = Batch.maker(text)
    assert make is not None
    assert [tuple(t.shape) for t in make().args] == shapes


def test_a_batch_that_cannot_be_read_is_explained() -> None:
    with pytest.raises(UsageError, match="the batch '2xx3' cannot be read; write a shape such as 2x3x32x32"):
        Batch.maker("2xx3")
    with pytest.raises(UsageError, match="names no function"):
        Batch.maker("no_such_module:batch")()  # type: ignore[misc]


@pytest.mark.parametrize(
    ("gradient", "kind"),
    [
        (torch.zeros(4, 3), "zero"),
        (torch.ones(4, 1) * torch.randn(1, 3), "rows"),
        (torch.randn(4, 1) * torch.ones(1, 3), "columns"),
        (torch.randn(4, 3), "differ"),
    ],
)
def test_a_gradient_tells_units_apart_or_not(gradient: Tensor, kind: str) -> None:
    assert gradient_kind(gradient.numpy()) == kind
    assert gradient_kind(None) == "zero"


def test_a_layer_behind_a_zero_layer_moves_with_the_next_step() -> None:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate, self.head = nn.Linear(8, 8), nn.Linear(8, 4)
            for layer in (self.gate, self.head):
                nn.init.zeros_(layer.weight)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(x + self.gate(x))

    signal = Listener(None).hear(LiveModule(Gated()), ["gate.weight", "head.weight"])
    assert signal.gradients == {"gate.weight": "later", "head.weight": "differ"}
