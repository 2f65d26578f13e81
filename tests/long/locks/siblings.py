"""For each broken model of the zoo the same model without what is broken, and words that must be in the lock's diff."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import model_zoo as zoo
import numpy as np
import torch
from torch import nn

Factory = Callable[[], nn.Module]


def _mlp(layers: int, width: int = zoo.WIDTH, draw: Callable[[torch.Tensor], object] | None = None) -> Factory:
    def build() -> nn.Module:
        model = zoo.mlp(layers, width=width)
        for module in model:
            if draw is not None and isinstance(module, nn.Linear):
                draw(module.weight)
        return model

    return build


def _numpy_he(weight: torch.Tensor) -> None:
    drawn = np.random.normal(0.0, math.sqrt(2 / weight.shape[1]), tuple(weight.shape)).astype(np.float32)
    weight.data = torch.from_numpy(drawn)


def _cut(weight: torch.Tensor) -> None:
    nn.init.trunc_normal_(weight, std=0.125)


class _Around(nn.Module):
    def __init__(self, layers: int, scale: bool) -> None:
        super().__init__()
        self.body = zoo.mlp(layers)
        if scale:
            self.register_buffer("scale", torch.ones(zoo.WIDTH))


def _linears(*widths: int, activation: type[nn.Module] = nn.Tanh, std: float | None = None) -> Factory:
    def build() -> nn.Module:
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Linear(inputs, outputs), activation()]
            if std is not None:
                nn.init.normal_(layers[-2].weight, std=std)  # type: ignore[arg-type]
        return nn.Sequential(*layers[:-1])

    return build


def _encoder() -> nn.Module:
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(zoo.WIDTH, 2, 64, batch_first=True), 3)
    model.layers = nn.ModuleList(nn.TransformerEncoderLayer(zoo.WIDTH, 2, 64, batch_first=True) for _ in range(3))
    return model


def _seeded() -> nn.Module:
    model = zoo.mlp(2)
    drawn = np.random.normal(0, 0.25, (zoo.WIDTH, zoo.WIDTH)).astype(np.float32)
    model[0].weight.data = torch.from_numpy(drawn)
    return model


SIBLINGS: dict[Factory, tuple[Factory, str]] = {
    zoo.never_written: (zoo.gpt, "h.2.mlp.c_fc.weight (128, 32): never written"),
    zoo.rows_never_written: (zoo.gpt, "96 of 2240 entries never written"),
    zoo.scaled_garbage: (_mlp(6), "2.bias (32): never written"),
    zoo.buffer_never_written: (lambda: _Around(4, True), "is not in the lock: a buffer, never written"),
    zoo.to_empty: (_mlp(6), "*.weight 6 x (32, 32): never written"),
    zoo.skip_init: (lambda: nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8)), "1.weight (8, 8): never written"),
    zoo.one_seed_for_all: (_mlp(6, draw=nn.init.kaiming_normal_), "the same numbers in 6 tensors"),
    zoo.one_state_for_two_shapes: (
        _linears(16, 24, 8, activation=nn.ReLU, std=0.2), "drawn from the same random numbers as 2.weight",
    ),
    zoo.seed_inside: (_mlp(6), "the same numbers at every seed"),
    zoo.unseeded: (_seeded, "0.weight (32, 32): random, std"),
    zoo.deep_copies: (
        lambda: nn.Sequential(*[zoo.Block(zoo.WIDTH) for _ in range(6)]), "the same numbers in 6 tensors",
    ),
    zoo.torch_encoder: (_encoder, "the same numbers in 3 tensors"),
    zoo.scaled_copy: (_mlp(6), "4.weight (32, 32): normal, std 0.125"),
    zoo.equal_rows: (_mlp(6), "4.weight (32, 32): normal, std 0.25 = sqrt(2/fan_in); row 5"),
    zoo.experts_copied: (zoo.mixture, "h.1.mlp.experts.{0-1}.c_fc.weight"),
    zoo.lora_both_zero: (zoo.lora, "*.lora_A 3 x (4, 32): every entry 0"),
    zoo.constant_layers: (_linears(8, 16, 16, 4), "0.weight (16, 8): every entry 0.1"),
    zoo.dead_layers: (_linears(8, 16, 16, 4, activation=nn.ReLU), "2.weight (16, 16): every entry 0"),
    zoo.initialised_twice: (lambda: _Around(6, False), "body.10.weight (32, 32): normal, std 0.125"),
    zoo.one_layer_off: (zoo.gpt, "h.3.mlp.c_fc.weight (128, 32): normal, std 0.04; the lock says normal, std 0.02"),
    zoo.outlier: (zoo.gpt, "entry [7, 3] constant 5"),
    zoo.numpy_one_layer_off: (_mlp(9, 16, _numpy_he), "*.weight 9 x (16, 16): random"),
    zoo.exploding: (_mlp(12), "normal, std 0.5303; the lock says normal, std 0.25"),
    zoo.vanishing: (_mlp(12), "normal, std 0.08839; the lock says normal, std 0.25"),
    zoo.overconfident_head: (zoo.gpt_untied, "lm_head.weight (67, 32): normal, std 1"),
    zoo.bfloat16_cut: (_mlp(4, 128, _cut), "the lock says truncated_normal, std 0.125"),
}  # fmt: skip
"""Broken -> (sound, what a line of the diff must say)."""
