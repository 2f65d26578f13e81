"""The printed report of a model of a hundred blocks in which much fails."""

from __future__ import annotations

import torch
from model_zoo_parts import GPT
from torch import nn

import initcheck
from initcheck.claims.registry import as_stated
from initcheck.rendering.model_lines import model_lines


def test_a_hundred_blocks_and_many_failures_are_at_most_25_lines() -> None:
    def build() -> nn.Module:
        model = GPT(100, 16)
        for i in range(0, 100, 9):
            nn.init.normal_(model.h[i].mlp.c_fc.weight, std=0.05)  # type: ignore[union-attr, arg-type]
            model.h[i].attn.c_attn.weight = nn.Parameter(torch.empty(48, 16))  # type: ignore[union-attr]
        return model

    lines = model_lines(initcheck.check_model(build, name="deep"), "deep", as_stated("model"))
    assert len(lines) <= 25
    text = "\n".join(lines)
    assert "written    FAILS" in text
    assert "more)" in text
    assert "h.*.mlp.c_proj.weight" in text
    assert lines[-1].startswith("2 of 12 fail; ")
