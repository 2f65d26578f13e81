"""The printed report of a model of a hundred blocks in which much fails."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

import initcheck
from initcheck.claims.registry import as_stated
from initcheck.rendering.model_lines import model_lines


class Block(nn.Module):
    """A residual block of two branches, each ended by a layer named ``c_proj``."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.c_attn = nn.LayerNorm(width), nn.Linear(width, 3 * width)
        self.attn = nn.ModuleDict({"c_proj": nn.Linear(width, width)})
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)})

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.c_attn(self.norm(x)).chunk(3, -1)
        x = x + self.attn["c_proj"](nn.functional.scaled_dot_product_attention(q, k, v))
        return x + self.mlp["c_proj"](nn.functional.gelu(self.mlp["c_fc"](self.norm(x))))


class Transformer(nn.Module):
    """Radford et al. 2019: normal weights of 0.02, those before a sum divided by sqrt(2 L)."""

    def __init__(self, layers: int, width: int, vocabulary: int = 64) -> None:
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width)
        self.h = nn.ModuleList(Block(width) for _ in range(layers))
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        for name, module in self.named_modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02 / (math.sqrt(2 * layers) if name.endswith("c_proj") else 1))
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.wte(ids)
        for block in self.h:
            x = block(x)
        return self.lm_head(x)


def test_a_hundred_blocks_and_many_failures_are_at_most_25_lines() -> None:
    def build() -> nn.Module:
        model = Transformer(100, 16)
        for i in range(0, 100, 9):
            nn.init.normal_(model.h[i].mlp["c_fc"].weight, std=0.05)
            model.h[i].c_attn.weight = nn.Parameter(torch.empty(48, 16))
        return model

    lines = model_lines(initcheck.check_model(build, name="deep"), "deep", as_stated("model"))
    assert len(lines) <= 25
    text = "\n".join(lines)
    assert "written    FAILS" in text
    assert "(and 7 more)" in text  # of twelve odd layers
    assert "h.*.mlp.c_proj.weight" in text
    assert lines[-1].startswith("2 of 13 fail; ")
